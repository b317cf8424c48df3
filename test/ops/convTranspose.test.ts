import { convTransposeCases } from './cases/conv.js';
import { testCases } from './runner.js';

testCases(convTransposeCases);
