import { describe, expect, it } from 'vitest';
import { relativeError } from './array.js';

describe('the measure of error', () => {
  it('is the norm of the difference over the norm of the expected', () => {
    expect(relativeError([3, 4.001], [3, 4])).toBeCloseTo(0.001 / 5, 12);
    expect(relativeError([3, 4], [3, 4])).toBe(0);
  });

  it('is the plain norm where all is expected to be zero', () => {
    expect(relativeError([0, 2], [0, 0])).toBe(2);
  });

  it('lets no NaN and no missing value pass', () => {
    expect(relativeError([3, Number.NaN], [3, 4])).toBeNaN();
    expect(relativeError([], [3])).toBeNaN();
  });
});
