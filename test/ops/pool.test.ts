import { poolCases } from './cases/pool.js';
import { testCases } from './runner.js';

testCases(poolCases);
