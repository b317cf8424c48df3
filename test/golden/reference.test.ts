import { describe, expect, it } from 'vitest';
import { cotangent, inputValues } from '../ops/case.js';
import { cases } from '../ops/cases.js';
import { type Array64, array64, relativeError } from '../reference/array.js';
import { seedOf } from '../reference/generator.js';
import { referenceForward, referenceVjp } from '../reference/registry.js';
import { readGolden } from './ops.js';

const { torch, entries } = readGolden();

/** Float64 against float64; the last bits of exp and log may differ between libraries. */
const TOLERANCE = 1e-12;

function expectClose(actual: Array64, expected: Array64): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(relativeError(actual.data, expected.data)).toBeLessThanOrEqual(TOLERANCE);
}

describe(`the float64 reference against PyTorch ${torch}`, () => {
  it('has stored values for the table of cases as it is now (otherwise run test/golden/make.py)', () => {
    const stored = entries.map((entry) => entry.case);
    expect(stored).toEqual(cases.map((one) => ({ ...one, seed: seedOf(one.name) })));
    expect(new Set(stored.map((one) => one.name)).size).toBe(stored.length);
  });

  for (const entry of entries) {
    it(entry.case.name, () => {
      const inputs = inputValues(entry.case);
      expectClose(referenceForward(entry.case, inputs), entry.value);
      const g = cotangent(entry.case, entry.value.shape);
      const gradients = referenceVjp(entry.case, inputs, g);
      entry.gradients.forEach((expected, i) => {
        if (expected === null) return;
        const zeros = array64(expected.shape, new Float64Array(expected.data.length));
        expectClose(gradients[i] ?? zeros, expected);
      });
    });
  }
});
