import { convCases } from './cases/conv.js';
import { testCases } from './runner.js';

testCases(convCases);
