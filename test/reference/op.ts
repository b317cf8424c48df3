import type { Array64 } from './array.js';

/**
 * An op in float64: its value, and its vector-Jacobian product, that is, for each input the gradient of
 * `sum(g * forward(inputs))`. Null for inputs that get no gradient.
 */
export interface ReferenceOp<Options> {
  forward(inputs: readonly Array64[], options: Options): Array64;
  vjp(inputs: readonly Array64[], options: Options, g: Array64): (Array64 | null)[];
}

/** Input `i`, which must be there. */
export function input(inputs: readonly Array64[], i: number): Array64 {
  const a = inputs[i];
  if (a === undefined) throw new Error(`input ${i} is missing`);
  return a;
}

/** A size for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

export function pair(value: Pair | undefined, otherwise: Pair): readonly [number, number] {
  const v = value ?? otherwise;
  return typeof v === 'number' ? [v, v] : v;
}
