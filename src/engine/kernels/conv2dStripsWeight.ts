/** Weight gradients of 3x3 convolutions of stride 1 on adapters that run on the CPU: strips, quads, large blocks. */

import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import weightGradLargeBlock from '../../shaders/conv2d/weight_grad_block8x4.wgsl';
import weightGradQuads from '../../shaders/conv2d/weight_grad_quads3x3.wgsl';
import weightGradStrips from '../../shaders/conv2d/weight_grad_strips.wgsl';
import {
  type DeviceFacts,
  type Launch,
  type Lowering,
  type Operand,
  type Shader,
  storedType,
} from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops, planes, sizeWords } from './conv2dProblem.js';
import { isSmall3x3 } from './conv2dStrips.js';

/** The same for the weight gradient, which does with fewer shuffles and so serves adapters where they are dear. */
export function supportsWeightGradStrips(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8 && isSmall3x3(p);
}

export function supportsWeightGradQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 4 && isSmall3x3(p);
}

/** Subgroups wanted in all, so that every core has work; more would only add partial sums. */
const SUBGROUPS = 128;

interface WeightGradOperands {
  readonly x: Operand;
  readonly gy: Operand;
  readonly gw: Operand;
}

/** How a weight gradient is split and run. */
interface WeightGradForm {
  readonly shader: Shader;
  readonly parts: number;
  /** Words 12 to 14 of the sizes: what is dealt out to parts, as the kernel says. */
  readonly dealt: readonly [number, number, number];
  readonly workgroups: Launch['workgroups'];
  readonly variant: string;
}

/** The weight gradient by weight_grad_strips.wgsl; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradStrips(p: Conv2dProblem, io: WeightGradOperands, ctx: Lowering): Launch[] {
  return lowerWeightGrad(walk(weightGradStrips, p, 8, 8, 'strips 8x8x9'), p, io, ctx);
}

/** The weight gradient by weight_grad_quads3x3.wgsl; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradQuads(p: Conv2dProblem, io: WeightGradOperands, ctx: Lowering): Launch[] {
  return lowerWeightGrad(walk(weightGradQuads, p, 4, 16, 'quads 16x8x9'), p, io, ctx);
}

/** Subgroups that walk down strips, each for 8 input channels. `columns` of a strip; `outChannels` of a subgroup. */
function walk(
  shader: Shader,
  p: Conv2dProblem,
  columns: number,
  outChannels: number,
  variant: string,
): WeightGradForm {
  const across = Math.ceil(p.ow / columns);
  const strips = across * p.n;
  const inBlocks = Math.ceil(p.c / 8);
  const outBlocks = Math.ceil(p.k / outChannels);
  const run = Math.ceil(strips / Math.max(1, Math.ceil(SUBGROUPS / (inBlocks * outBlocks))));
  const parts = Math.ceil(strips / run);
  return {
    shader,
    parts,
    dealt: [across, strips, run],
    workgroups: [Math.ceil((parts * inBlocks) / 4), outBlocks, 1],
    variant: `${variant}, ${parts} parts`,
  };
}

/** Invocations wanted in all. */
const INVOCATIONS = 512;

/** The weight gradient in large blocks; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradLargeBlocks(
  p: Conv2dProblem,
  io: WeightGradOperands,
  ctx: Lowering,
): Launch[] {
  const inBlocks = Math.ceil(p.c / 4);
  const outBlocks = Math.ceil(p.k / 8);
  const rows = p.n * p.oh;
  const run = Math.ceil(rows / Math.min(rows, Math.ceil(INVOCATIONS / (inBlocks * outBlocks))));
  const parts = Math.ceil(rows / run);
  const form: WeightGradForm = {
    shader: weightGradLargeBlock,
    parts,
    dealt: [p.n, 0, run],
    workgroups: [Math.ceil((parts * inBlocks * outBlocks) / 8), 1, 1],
    variant: `block8 8x4x9, ${parts} parts`,
  };
  return lowerWeightGrad(form, p, io, ctx);
}

function lowerWeightGrad(
  { shader, parts, dealt, workgroups, variant }: WeightGradForm,
  p: Conv2dProblem,
  io: WeightGradOperands,
  ctx: Lowering,
): Launch[] {
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
    ...dealt,
    parts,
    sums.layout.offset,
  ];
  const sizes = ctx.constant(sizeWords(words));
  const launches: Launch[] = [
    {
      shader,
      pieces: [sizesPiece],
      constants: { X_TYPE: storedType(io.x), GY_TYPE: storedType(io.gy) },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, sizes, 'uniform'),
      ],
      workgroups,
      variant,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}
