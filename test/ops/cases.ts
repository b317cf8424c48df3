import type { AnyCase } from './case.js';
import { convCases, convTransposeCases, largeConvCases } from './cases/conv.js';
import { binaryCases, largeElementwiseCases, unaryCases } from './cases/elementwise.js';
import { largeLossCases, lossCases } from './cases/loss.js';
import { largeMovementCases, movementCases } from './cases/movement.js';
import { normCases } from './cases/norm.js';
import { largePoolCases, poolCases } from './cases/pool.js';
import { largeReduceCases, reduceCases } from './cases/reduce.js';

/** Small cases at awkward sizes: the reference is checked on them against PyTorch, the engine against the reference. */
export const cases: readonly AnyCase[] = [
  ...convCases,
  ...convTransposeCases,
  ...poolCases,
  ...unaryCases,
  ...binaryCases,
  ...reduceCases,
  ...movementCases,
  ...lossCases,
  ...normCases,
];

/** Cases that fill tiles, splits and grids: for the engine against the reference only. */
export const largeCases: readonly AnyCase[] = [
  ...largeConvCases,
  ...largePoolCases,
  ...largeElementwiseCases,
  ...largeReduceCases,
  ...largeMovementCases,
  ...largeLossCases,
];
