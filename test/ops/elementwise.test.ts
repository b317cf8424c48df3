import { binaryCases, unaryCases } from './cases/elementwise.js';
import { testCases } from './runner.js';

testCases([...unaryCases, ...binaryCases]);
