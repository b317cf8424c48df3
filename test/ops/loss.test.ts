import { lossCases } from './cases/loss.js';
import { testCases } from './runner.js';

testCases(lossCases);
