import { describe, expect, it } from 'vitest';
import { halfBits, halfValue, toHalf } from '../../src/engine/half.js';

describe('half precision bits', () => {
  it('keeps every one of the 65,536 halves through value and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfValue(bits);
      if (Number.isNaN(value)) expect(halfBits(value) & 0x7fff).toBeGreaterThan(0x7c00);
      else if (halfBits(value) !== bits) throw new Error(`${bits} came back as ${halfBits(value)}`);
    }
  });

  it('rounds to nearest, ties to even, between any two neighbours', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = halfValue(bits);
      const high = halfValue(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const below = Math.fround(middle - (high - low) / 64);
      const above = Math.fround(middle + (high - low) / 64);
      if (halfBits(middle) !== even || halfBits(below) !== bits || halfBits(above) !== bits + 1) {
        throw new Error(`wrong rounding after ${low}`);
      }
    }
  });

  it('gives infinity from halfway past the largest half, and zero below half the smallest', () => {
    expect([...toHalf(Float32Array.of(65519, 65520, -1e9, 2 ** -25, 2 ** -25 * 1.01, -(2 ** -30)))]).toEqual([
      0x7bff, 0x7c00, 0xfc00, 0, 1, 0x8000,
    ]);
  });
});
