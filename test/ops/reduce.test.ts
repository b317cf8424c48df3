import { normCases } from './cases/norm.js';
import { reduceCases } from './cases/reduce.js';
import { testCases } from './runner.js';

testCases([...reduceCases, ...normCases]);
