import { type Constants, f32 } from '../kernel.js';

/**
 * What every kernel that drops elements is told: keep where the hash is at least `DROPOUT_THRESHOLD`, and multiply
 * what is kept by `DROPOUT_SCALE` = 1/(1-p).
 *
 * @param p probability of dropping an element, 0 to 1. At 1 the scale is 0, so that nothing passes.
 */
export function dropoutConstants(p: number): Constants {
  return {
    DROPOUT_THRESHOLD: Math.min(0xffffffff, Math.round(p * 2 ** 32)),
    DROPOUT_SCALE: f32(p < 1 ? 1 / (1 - p) : 0),
  };
}
