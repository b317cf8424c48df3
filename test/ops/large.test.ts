import { largeCases } from './cases.js';
import { testCases } from './runner.js';

testCases(largeCases);
