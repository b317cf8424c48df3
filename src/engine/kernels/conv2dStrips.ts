/** Lowering of strips.wgsl: 3x3 convolutions of stride 1 on adapters that run on the CPU. */

import sizesShader from '../../shaders/conv2d/sizes.wgsl';
import strips from '../../shaders/conv2d/strips.wgsl';
import pack from '../../shaders/conv2d/strips_pack.wgsl';
import weightGradStrips from '../../shaders/conv2d/weight_grad_strips.wgsl';
import type { DeviceFacts, Launch, Lowering, Operand } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops, offset, planes } from './conv2dProblem.js';
import { grid1d } from './grid.js';

/** Words before the filters in what strips_pack.wgsl writes. */
const HEAD = 24;

/** Whether the problem is a 3x3 convolution of stride 1 in one group, and the adapter one that strips are made for. */
export function supportsStrips(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return (
    facts.software &&
    (facts.subgroupSize === 4 || facts.subgroupSize === 8) &&
    p.kh === 3 &&
    p.kw === 3 &&
    p.sh === 1 &&
    p.sw === 1 &&
    p.dh === 1 &&
    p.dw === 1 &&
    p.groups === 1 &&
    p.ph <= 2 &&
    p.pw <= 2
  );
}

/** The convolution of `input` to `output`, both in planes layout; `turned` for the input gradient. */
export function lowerStrips(
  p: Conv2dProblem,
  io: { readonly input: Operand; readonly weight: Operand; readonly output: Operand },
  turned: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const lanes = ctx.facts.subgroupSize as number;
  const [n, channels, height, width] = io.input.shape as readonly [number, number, number, number];
  const [, outChannels, outHeight, outWidth] = io.output.shape as readonly [number, number, number, number];
  const input = planes('IN', io.input);
  const output = planes('OUT', io.output);
  const across = Math.ceil(outWidth / lanes);
  const tiles = across * Math.ceil(outHeight / 8);
  const blocks = Math.ceil(outChannels / 8);
  const sizes = [
    channels,
    height,
    width,
    outChannels,
    outHeight,
    outWidth,
    turned ? 2 - p.ph : p.ph,
    turned ? 2 - p.pw : p.pw,
    input.IN_OFFSET as number,
    input.IN_BATCH as number,
    output.OUT_OFFSET as number,
    output.OUT_BATCH as number,
    across,
    tiles,
    epilogue.bias?.layout.offset ?? 0,
    epilogue.dropout?.stream ?? 0,
    n,
  ];
  while (sizes.length < HEAD) sizes.push(0);

  const words = blocks * channels * 72;
  const packed = ctx.scratch([HEAD + words]);
  const grid = grid1d(Math.max(HEAD, words), 64);
  const parts = sharedEpilogueParts(epilogue, ctx);
  return [
    {
      shader: pack,
      constants: {
        SIZES: sizes,
        IN: channels,
        OUT: outChannels,
        TURNED: turned,
        ...offset('WEIGHT', io.weight),
        ...grid.constants,
      },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write')],
      workgroups: grid.workgroups,
      variant: 'pack',
      flops: 0,
      bytes: 4 * (9 * channels * outChannels + words),
    },
    {
      shader: strips,
      pieces: parts.pieces,
      constants: { LANES: lanes, ...parts.constants },
      bindings: [
        bind(0, io.input, 'read'),
        bind(1, packed, 'read'),
        bind(2, io.output, 'write'),
        ...parts.bindings,
      ],
      workgroups: [Math.ceil((n * tiles) / 4), blocks, 1],
      variant: `strips ${lanes}x8x8${parts.label}`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
}

/** Subgroups wanted in all, so that every core has work; more would only add partial sums. */
const SUBGROUPS = 128;

/** The weight gradient; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradStrips(
  p: Conv2dProblem,
  io: { readonly x: Operand; readonly gy: Operand; readonly gw: Operand },
  ctx: Lowering,
): Launch[] {
  const lanes = ctx.facts.subgroupSize as number;
  const across = Math.ceil(p.ow / 8);
  const strips = across * p.n;
  const inBlocks = Math.ceil(p.c / 8);
  const outBlocks = Math.ceil(p.k / lanes);
  const run = Math.ceil(strips / Math.max(1, Math.ceil(SUBGROUPS / (inBlocks * outBlocks))));
  const parts = Math.ceil(strips / run);
  const count = p.k * p.c * 9;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const x = planes('X', io.x);
  const gy = planes('GY', io.gy);
  const words = [
    p.c,
    p.h,
    p.w,
    p.k,
    p.oh,
    p.ow,
    p.ph,
    p.pw,
    x.X_OFFSET as number,
    x.X_BATCH as number,
    gy.GY_OFFSET as number,
    gy.GY_BATCH as number,
    across,
    strips,
    run,
    parts,
    sums.layout.offset,
  ];
  while (words.length < 32) words.push(0);
  const sizes = ctx.scratch([32], 'u32');
  const launches: Launch[] = [
    {
      shader: sizesShader,
      constants: { SIZES: words },
      bindings: [bind(0, sizes, 'write')],
      workgroups: [1, 1, 1],
      variant: 'sizes',
      flops: 0,
      bytes: 128,
    },
    {
      shader: weightGradStrips,
      constants: { LANES: lanes },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, sizes, 'read'),
      ],
      workgroups: [Math.ceil((parts * inBlocks) / 4), outBlocks, 1],
      variant: `strips ${lanes}x8x9, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }));
  return launches;
}
