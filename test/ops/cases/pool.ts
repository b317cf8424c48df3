import type { MaxPoolOptions } from '../../reference/pool.js';
import { type InputSpec, type OpCase, of, opCase } from '../case.js';

type Shape4 = readonly [number, number, number, number];

/** Distinct values, so that no maximum is near another. */
function pool(
  name: string,
  x: Shape4,
  options: MaxPoolOptions,
  values: Partial<InputSpec> = {},
): OpCase<'maxPool2d'> {
  return opCase('maxPool2d', name, [of(x, { kind: 'distinct', low: -2, high: 2, ...values })], options);
}

export const poolCases: OpCase<'maxPool2d'>[] = [
  pool('2', [2, 3, 8, 6], { kernelSize: 2 }),
  pool('2 on odd sizes, the rest dropped', [1, 3, 7, 9], { kernelSize: 2 }),
  pool('2 ceil mode on odd sizes', [1, 3, 7, 9], { kernelSize: 2, ceilMode: true }),
  pool('2 ceil mode on one pixel', [2, 2, 1, 1], { kernelSize: 2, ceilMode: true }),
  pool('1', [1, 2, 3, 4], { kernelSize: 1 }),
  pool('1 stride 2', [1, 2, 5, 4], { kernelSize: 1, stride: 2 }),
  pool('3 stride 2 padding 1', [2, 2, 9, 8], { kernelSize: 3, stride: 2, padding: 1 }),
  pool('3 stride 2 padding 1 ceil mode', [1, 2, 8, 10], {
    kernelSize: 3,
    stride: 2,
    padding: 1,
    ceilMode: true,
  }),
  pool('3 stride 1, windows overlap', [1, 2, 7, 5], { kernelSize: 3, stride: 1 }),
  pool(
    '3 stride 1 padding 1 of negative values',
    [1, 2, 5, 5],
    { kernelSize: 3, stride: 1, padding: 1 },
    { low: -3, high: -1 },
  ),
  pool('2x3 stride 3x2', [1, 3, 11, 8], { kernelSize: [2, 3], stride: [3, 2] }),
  pool('2x3 stride 3x2 ceil mode, a window in the padding dropped', [1, 2, 10, 8], {
    kernelSize: [2, 3],
    stride: [3, 2],
    padding: [1, 1],
    ceilMode: true,
  }),
  pool('3 dilation 2', [1, 2, 9, 11], { kernelSize: 3, stride: 2, dilation: 2 }),
  pool('3x2 dilation 2x3 padding 1', [1, 2, 10, 9], {
    kernelSize: [3, 2],
    stride: [1, 2],
    dilation: [2, 3],
    padding: 1,
  }),
  pool('2 stride 3, pixels skipped', [1, 2, 11, 10], { kernelSize: 2, stride: 3 }),
  pool('5 stride 3 padding 2 ceil mode', [1, 1, 13, 12], {
    kernelSize: 5,
    stride: 3,
    padding: 2,
    ceilMode: true,
  }),
  pool('2 with ties', [1, 3, 8, 8], { kernelSize: 2 }, { kind: 'whole', low: 0, high: 2 }),
  pool(
    '3 stride 1 padding 1 with ties',
    [1, 2, 7, 6],
    { kernelSize: 3, stride: 1, padding: 1 },
    { kind: 'whole', low: 0, high: 1 },
  ),
];

export const largePoolCases: OpCase<'maxPool2d'>[] = [
  pool('2 at 128x128', [4, 16, 128, 128], { kernelSize: 2 }),
  pool('2 with ties at 127x65', [2, 5, 127, 65], { kernelSize: 2 }, { kind: 'whole', low: 0, high: 3 }),
];
