import { describe, expect, it } from 'vitest';
import { type AnyCase, cotangent, inputValues } from '../ops/case.js';
import { cases } from '../ops/cases.js';
import { type Array64, at, inner, map } from './array.js';
import { unit } from './generator.js';
import { referenceForward, referenceVjp } from './registry.js';

const STEP = 1e-5;

/** d/ds of the weighted result when input `which` moves by s along `direction`. */
function slope(
  one: AnyCase,
  inputs: readonly Array64[],
  which: number,
  direction: Array64,
  g: Array64,
): number {
  const moved = (s: number) =>
    inputs.map((x, i) => (i === which ? map(x, (value, k) => value + s * at(direction, k)) : x));
  const ahead = inner(referenceForward(one, moved(STEP)), g);
  const behind = inner(referenceForward(one, moved(-STEP)), g);
  return (ahead - behind) / (2 * STEP);
}

function unitVector(like: Array64, k: number): Array64 {
  return map(like, (_value, i) => (i === k ? 1 : 0));
}

/** Two random directions, which see every element, and up to 48 single elements. */
function directions(x: Array64): Array64[] {
  const random = [1, 2].map((seed) => map(x, (_value, i) => (unit(seed, i) < 0.5 ? -1 : 1)));
  const stride = Math.max(1, Math.ceil(x.data.length / 48));
  const singles: Array64[] = [];
  for (let k = 0; k < x.data.length; k += stride) singles.push(unitVector(x, k));
  return [...random, ...singles];
}

describe('hand-derived gradients of the reference against central differences', () => {
  for (const one of cases) {
    one.inputs.forEach((spec, which) => {
      // Values on a grid are there to sit on kinks, where a difference says nothing.
      if (!spec.gradient || one.inputs.some((other) => other.kind === 'whole' && other.gradient)) return;
      it(`${one.name}, input ${which}`, () => {
        const inputs = inputValues(one);
        const x = inputs[which] as Array64;
        const g = cotangent(one, referenceForward(one, inputs).shape);
        const gradient = referenceVjp(one, inputs, g)[which];
        for (const direction of directions(x)) {
          const expected = slope(one, inputs, which, direction, g);
          const actual = gradient ? inner(gradient, direction) : 0;
          expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
        }
      });
    });
  }
});
