import { movementCases } from './cases/movement.js';
import { testCases } from './runner.js';

testCases(movementCases);
