import { describe, expect, it } from 'vitest';
import { resizePlane } from '../../src/unet/resize.js';
import { relativeError } from '../reference/array.js';

/** A plane [3, 4] of tenths. */
const plane = Float32Array.from({ length: 12 }, (_, i) => ((i * 7) % 11) / 10);

/** What torch.nn.functional.interpolate(mode='bilinear', align_corners=False) makes of it in float64, by size. */
const torch: readonly (readonly [number, number, readonly number[]])[] = [
  [1, 1, [0.55]],
  [2, 2, [0.3625, 0.6625, 0.4375, 0.325]],
  [
    3,
    9,
    [
      0, 0.116666666667, 0.427777777778, 0.677777777778, 0.5, 0.322222222222, 0.572222222222, 0.883333333333,
      1, 0.6, 0.533333333333, 0.355555555556, 0.238888888889, 0.55, 0.861111111111, 0.744444444444,
      0.566666666667, 0.5, 0.1, 0.216666666667, 0.527777777778, 0.777777777778, 0.6, 0.422222222222,
      0.244444444444, 0.066666666667, 0,
    ],
  ],
  [
    5,
    7,
    [
      0, 0.25, 0.65, 0.5, 0.35, 0.75, 1, 0.24, 0.332857142857, 0.481428571429, 0.52, 0.558571428571,
      0.707142857143, 0.8, 0.6, 0.457142857143, 0.228571428571, 0.55, 0.871428571429, 0.642857142857, 0.5,
      0.3, 0.392857142857, 0.541428571429, 0.58, 0.571428571429, 0.342857142857, 0.2, 0.1, 0.35, 0.75, 0.6,
      0.371428571429, 0.142857142857, 0,
    ],
  ],
];

/** Straight from the definition, each axis as a tent over the pixels' centres, clamped at the edges. */
function reference(from: Float32Array, h: number, w: number, toH: number, toW: number): number[] {
  const tent = (at: number, size: number, to: number) => {
    const position = Math.min(size - 1, Math.max(0, ((at + 0.5) * size) / to - 0.5));
    return Array.from({ length: size }, (_, i) => Math.max(0, 1 - Math.abs(position - i)));
  };
  const out: number[] = [];
  for (let y = 0; y < toH; y++) {
    const rows = tent(y, h, toH);
    for (let x = 0; x < toW; x++) {
      const columns = tent(x, w, toW);
      let sum = 0;
      rows.forEach((a, i) => {
        columns.forEach((b, j) => {
          sum += a * b * (from[i * w + j] as number);
        });
      });
      out.push(sum);
    }
  }
  return out;
}

describe('resizePlane', () => {
  it.each(torch)('is PyTorch’s to %ix%i', (height, width, expected) => {
    expect(relativeError(resizePlane(plane, 3, 4, height, width), expected)).toBeLessThan(1e-7);
  });

  it.each([
    [6, 8],
    [1, 9],
    [7, 1],
    [2, 3],
    [13, 5],
  ])('is the definition to %ix%i', (height, width) => {
    const expected = reference(plane, 3, 4, height, width);
    expect(relativeError(resizePlane(plane, 3, 4, height, width), expected)).toBeLessThan(1e-7);
  });

  it('keeps a plane of the same size, and a constant one whatever the size', () => {
    expect([...resizePlane(plane, 3, 4, 3, 4)]).toEqual([...plane]);
    const flat = new Float32Array(35).fill(0.25);
    expect(new Set(resizePlane(flat, 5, 7, 16, 3))).toEqual(new Set([0.25]));
  });
});
