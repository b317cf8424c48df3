import biasGrad from '../../shaders/conv2d/bias_grad.wgsl';
import reduceParts from '../../shaders/conv2d/reduce_parts.wgsl';
import type { Launch, Lowering, Operand } from '../kernel.js';
import { bind, offset, operandBytes, planes } from './conv2dProblem.js';
import { grid1d } from './grid.js';

/** Sums `partial` over `parts` into `out`, in a fixed order. */
export function reducePartsLaunch(
  partial: Operand,
  out: Operand,
  count: number,
  parts: number,
  strides: { readonly part: number; readonly item: number },
): Launch {
  const grid = grid1d(count, 64);
  return {
    shader: reduceParts,
    constants: {
      COUNT: count,
      PARTS: parts,
      PART_STRIDE: strides.part,
      ITEM_STRIDE: strides.item,
      ...offset('OUT', out),
      ...grid.constants,
    },
    bindings: [bind(0, partial, 'read'), bind(1, out, 'write')],
    workgroups: grid.workgroups,
    variant: `parts ${parts}`,
    flops: count * parts,
    bytes: 4 * count * (parts + 1),
  };
}

/** gb[k] = sum of gy [n,k,h,w] (planes layout) over n, h and w; `gb` [k] contiguous. */
export function conv2dBiasGrad(io: { readonly gy: Operand; readonly gb: Operand }, ctx: Lowering): Launch[] {
  const [n, k, h, w] = io.gy.shape as readonly [number, number, number, number];
  const count = n * h * w;
  // Enough parts to fill a device where channels are few, but none so small that the tree outweighs the walk.
  const groups = ctx.facts.software ? 32 : 512;
  const wanted = Math.min(Math.ceil(count / 4096), Math.ceil(groups / k), 65535);
  const part = Math.ceil(count / Math.max(1, wanted) / 256) * 256;
  const parts = Math.ceil(count / part);
  const partial = parts > 1 ? ctx.scratch([k, parts]) : io.gb;
  const first: Launch = {
    shader: biasGrad,
    constants: {
      K: k,
      PLANE: h * w,
      COUNT: count,
      PARTS: parts,
      PART: part,
      ...planes('GY', io.gy),
      ...offset('PART_SUMS', partial),
    },
    bindings: [bind(0, io.gy, 'read'), bind(1, partial, 'write')],
    workgroups: [k, parts, 1],
    variant: `parts ${parts}`,
    flops: n * k * h * w,
    bytes: operandBytes(io.gy, io.gb),
  };
  if (parts === 1) return [first];
  return [first, reducePartsLaunch(partial, io.gb, k, parts, { part: 1, item: parts })];
}
