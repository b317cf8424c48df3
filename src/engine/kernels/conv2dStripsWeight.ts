/** Weight gradients of 3x3 convolutions of stride 1 on adapters that run on the CPU: strips, quads, large blocks. */

import weightGradLargeBlock from '../../shaders/conv2d/weight_grad_block8x4.wgsl';
import weightGradQuads from '../../shaders/conv2d/weight_grad_quads3x3.wgsl';
import weightGradStrips from '../../shaders/conv2d/weight_grad_strips.wgsl';
import type { DeviceFacts, Launch, Lowering, Operand, Shader } from '../kernel.js';
import { type Conv2dProblem, planes, sizeWords } from './conv2dProblem.js';
import { isSmall3x3 } from './conv2dStrips.js';
import {
  type WeightGradParts,
  type WeightGradPartsOperands,
  weightGradParts,
} from './conv2dWeightGradParts.js';

/** Subgroups of 8: with 4, quads do it better. */
export function supportsWeightGradStrips(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8 && isSmall3x3(p);
}

/** Whether subgroups are quads, in which a swap costs next to nothing on the CPU. */
export function supportsWeightGradQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 4 && isSmall3x3(p);
}

/** Subgroups wanted in all, so that every core has work; more would only add partial sums. */
const SUBGROUPS = 128;

/** How a weight gradient is split and run. */
interface WeightGradForm extends WeightGradParts {
  /** Words 12 to 14 of the sizes: what is dealt out to parts, as the kernel says. */
  readonly dealt: readonly [number, number, number];
}

/** The weight gradient by weight_grad_strips.wgsl; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradStrips(
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  ctx: Lowering,
): Launch[] {
  return lowerWeightGrad(walk(weightGradStrips, p, 8, 'strips 8x8x9'), p, io, ctx);
}

/** The weight gradient by weight_grad_quads3x3.wgsl; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradQuads(p: Conv2dProblem, io: WeightGradPartsOperands, ctx: Lowering): Launch[] {
  return lowerWeightGrad(walk(weightGradQuads, p, 16, 'quads 16x8x9'), p, io, ctx);
}

/** Columns of a strip. */
const COLUMNS = 4;

/** Subgroups that walk down strips, each for 8 input channels. `outChannels` of a subgroup. */
function walk(shader: Shader, p: Conv2dProblem, outChannels: number, variant: string): WeightGradForm {
  const across = Math.ceil(p.ow / COLUMNS);
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
    variant,
  };
}

/** Invocations wanted in all. */
const INVOCATIONS = 512;

/** The weight gradient in large blocks; `gw` [k, c, 3, 3] is contiguous. */
export function lowerWeightGradLargeBlocks(
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
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
    variant: 'block8 8x4x9',
  };
  return lowerWeightGrad(form, p, io, ctx);
}

function lowerWeightGrad(
  form: WeightGradForm,
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  ctx: Lowering,
): Launch[] {
  const x = planes('X', io.x);
  const gy = planes('GY', io.gy);
  const words = (sums: Operand): number[] =>
    sizeWords([
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
      ...form.dealt,
      form.parts,
      sums.layout.offset,
    ]);
  return weightGradParts(form, p, io, words, ctx);
}
