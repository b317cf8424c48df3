import type { ConvOptions, ConvTransposeOptions } from '../../reference/conv.js';
import { type OpCase, of, opCase } from '../case.js';

type Shape4 = readonly [number, number, number, number];

function conv(
  name: string,
  x: Shape4,
  weight: Shape4,
  options: ConvOptions = {},
  bias = true,
): OpCase<'conv2d'> {
  const inputs = [of(x), of(weight), ...(bias ? [of([weight[0]])] : [])];
  return opCase('conv2d', name, inputs, options);
}

function up(
  name: string,
  x: Shape4,
  weight: Shape4,
  options: ConvTransposeOptions = {},
  bias = true,
): OpCase<'convTranspose2d'> {
  const inputs = [of(x), of(weight), ...(bias ? [of([weight[1] * (options.groups ?? 1)])] : [])];
  return opCase('convTranspose2d', name, inputs, options);
}

export const convCases: OpCase<'conv2d'>[] = [
  conv('of single elements', [1, 1, 1, 1], [1, 1, 1, 1]),
  conv('3x3 padding 1', [2, 3, 7, 5], [4, 3, 3, 3], { padding: 1 }),
  conv('3x3 at prime sizes, no bias', [1, 5, 11, 13], [7, 5, 3, 3], {}, false),
  conv('3x3 padding 1 in powers of two', [2, 8, 16, 16], [16, 8, 3, 3], { padding: 1 }),
  conv('3x3 padding 1 on one pixel', [3, 2, 1, 1], [5, 2, 3, 3], { padding: 1 }),
  conv('3x3 padding 1 on one row', [1, 3, 1, 9], [4, 3, 3, 3], { padding: 1 }),
  conv('3x3 padding 1 on one column', [1, 3, 9, 1], [4, 3, 3, 3], { padding: 1 }),
  conv('1x1', [2, 17, 5, 3], [9, 17, 1, 1]),
  conv('1x1 to one channel', [2, 16, 8, 6], [1, 16, 1, 1]),
  conv('1x1 stride 2', [1, 4, 7, 6], [3, 4, 1, 1], { stride: 2 }),
  conv('1x1 padding 1', [1, 3, 4, 5], [2, 3, 1, 1], { padding: 1 }),
  conv('5x5 padding 2 wider than the image', [1, 2, 3, 3], [3, 2, 5, 5], { padding: 2 }),
  conv('7x7 stride 2 padding 3', [1, 3, 17, 15], [4, 3, 7, 7], { stride: 2, padding: 3 }),
  conv('3x5 stride 2x3 padding 1x2', [2, 3, 10, 13], [4, 3, 3, 5], { stride: [2, 3], padding: [1, 2] }),
  conv('1x7 padding 0x3', [1, 4, 6, 9], [5, 4, 1, 7], { padding: [0, 3] }),
  conv('7x1 padding 3x0', [1, 4, 9, 6], [5, 4, 7, 1], { padding: [3, 0] }),
  conv('2x2, an even kernel', [1, 3, 6, 7], [4, 3, 2, 2]),
  conv('stride 2 padding 1', [2, 4, 9, 8], [6, 4, 3, 3], { stride: 2, padding: 1 }),
  conv('stride 3 over a 2x2 kernel, pixels skipped', [1, 3, 10, 11], [2, 3, 2, 2], { stride: 3 }),
  conv('stride 4 with rows and columns left over', [1, 2, 11, 14], [3, 2, 3, 3], { stride: 4 }),
  conv('padding wider than the kernel', [1, 2, 4, 5], [3, 2, 2, 2], { padding: 3 }),
  conv('dilation 2 padding 2', [2, 3, 9, 7], [4, 3, 3, 3], { dilation: 2, padding: 2 }),
  conv('2x3 dilation 1x3', [1, 3, 8, 11], [4, 3, 2, 3], { dilation: [1, 3] }),
  conv('stride 2 dilation 3 padding 4', [1, 3, 13, 12], [2, 3, 3, 3], { stride: 2, dilation: 3, padding: 4 }),
  conv('groups 2', [2, 6, 7, 5], [4, 3, 3, 3], { groups: 2, padding: 1 }),
  conv('groups 3, one filter each', [1, 6, 5, 7], [3, 2, 3, 3], { groups: 3 }),
  conv('depthwise', [2, 5, 8, 7], [5, 1, 3, 3], { groups: 5, padding: 1 }),
  conv('depthwise, two filters a channel, stride 2', [1, 3, 9, 9], [6, 1, 3, 3], {
    groups: 3,
    stride: 2,
    padding: 1,
  }),
  conv(
    'groups 2, stride 2, dilation 2, no bias',
    [1, 4, 11, 10],
    [6, 2, 3, 2],
    { groups: 2, stride: 2, dilation: 2 },
    false,
  ),
  conv('19 channels to 23', [1, 19, 6, 5], [23, 19, 3, 3], { padding: 1 }),
  conv('one channel to one, 3x3', [5, 1, 6, 7], [1, 1, 3, 3], { padding: 1 }),
];

export const convTransposeCases: OpCase<'convTranspose2d'>[] = [
  up('of single elements', [1, 1, 1, 1], [1, 1, 1, 1]),
  up('2x2 stride 2', [2, 6, 4, 5], [6, 3, 2, 2], { stride: 2 }),
  up('2x2 stride 2 in powers of two', [2, 16, 8, 8], [16, 8, 2, 2], { stride: 2 }),
  up('2x2 stride 2 on one pixel', [1, 3, 1, 1], [3, 2, 2, 2], { stride: 2 }),
  up('2x2 stride 2, no bias, prime sizes', [1, 7, 5, 3], [7, 5, 2, 2], { stride: 2 }, false),
  up('3x3 stride 2 padding 1 output padding 1', [1, 4, 5, 6], [4, 3, 3, 3], {
    stride: 2,
    padding: 1,
    outputPadding: 1,
  }),
  up('3x3 stride 2 padding 1', [2, 4, 5, 3], [4, 5, 3, 3], { stride: 2, padding: 1 }),
  up('3x3 stride 1', [1, 3, 6, 5], [3, 4, 3, 3]),
  up('3x3 padding 2', [1, 3, 6, 5], [3, 4, 3, 3], { padding: 2 }),
  up('4x4 stride 2 padding 1', [1, 5, 4, 4], [5, 2, 4, 4], { stride: 2, padding: 1 }),
  up('2x3 stride 3x2, gaps between', [1, 3, 4, 3], [3, 2, 2, 3], { stride: [3, 2] }),
  up('1x1 stride 3', [1, 3, 3, 4], [3, 2, 1, 1], { stride: 3 }),
  up('3x2 stride 2x3 padding 1x0 output padding 1x2', [1, 3, 4, 5], [3, 4, 3, 2], {
    stride: [2, 3],
    padding: [1, 0],
    outputPadding: [1, 2],
  }),
  up('dilation 2', [1, 3, 5, 4], [3, 4, 3, 3], { dilation: 2 }),
  up('dilation 3x2 with output padding below it', [1, 2, 4, 5], [2, 3, 2, 3], {
    dilation: [3, 2],
    outputPadding: [2, 1],
  }),
  up('stride 2 dilation 2 padding 2', [1, 3, 5, 4], [3, 2, 3, 3], { stride: 2, dilation: 2, padding: 2 }),
  up('groups 2', [2, 6, 4, 3], [6, 2, 3, 3], { groups: 2, stride: 2, padding: 1 }),
  up('depthwise', [1, 5, 4, 5], [5, 1, 2, 2], { groups: 5, stride: 2 }),
  up('groups 3, two filters each, output padding', [1, 3, 5, 4], [3, 2, 3, 3], {
    groups: 3,
    stride: 3,
    padding: 1,
    outputPadding: 1,
  }),
  up('19 channels to 13', [1, 19, 3, 4], [19, 13, 2, 2], { stride: 2 }),
];

/** Sizes at which tiles, splits and grids are full; too large to store. */
export const largeConvCases: (OpCase<'conv2d'> | OpCase<'convTranspose2d'>)[] = [
  conv('32 to 64 channels at 32x32', [2, 32, 32, 32], [64, 32, 3, 3], { padding: 1 }),
  conv('33 to 65 channels at 31x29', [1, 33, 31, 29], [65, 33, 3, 3], { padding: 1 }),
  conv('256 to 256 channels at 4x4', [1, 256, 4, 4], [256, 256, 3, 3], { padding: 1 }),
  { ...conv('3 to 8 channels at 167x211', [3, 3, 167, 211], [8, 3, 3, 3], { padding: 1 }), long: true },
  { ...conv('to one channel 1x1 at 256x256', [2, 16, 256, 256], [1, 16, 1, 1]), long: true },
  up('64 to 32 channels from 16x16', [2, 64, 16, 16], [64, 32, 2, 2], { stride: 2 }),
  up('65 to 33 channels from 15x17', [1, 65, 15, 17], [65, 33, 2, 2], { stride: 2 }),
];
