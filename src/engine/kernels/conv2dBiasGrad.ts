import biasGrad from '../../shaders/conv2d/bias_grad.wgsl';
import biasGradRuns from '../../shaders/conv2d/bias_grad_runs.wgsl';
import reduceParts from '../../shaders/conv2d/reduce_parts.wgsl';
import sizes from '../../shaders/conv2d/sizes.wgsl';
import { type Launch, type Lowering, type Operand, storedType } from '../kernel.js';
import { bind, operandBytes, planes, sizeWords } from './conv2dProblem.js';
import { grid1d } from './grid.js';

/** Sums `partial` over `parts` into `out`, in a fixed order. */
export function reducePartsLaunch(
  partial: Operand,
  out: Operand,
  count: number,
  parts: number,
  strides: { readonly part: number; readonly item: number },
  ctx: Lowering,
): Launch {
  const grid = grid1d(count, 64);
  const words = [
    count,
    parts,
    strides.part,
    strides.item,
    out.layout.offset,
    grid.constants.GRID_WIDTH as number,
  ];
  return {
    shader: reduceParts,
    pieces: [sizes],
    constants: {},
    bindings: [
      bind(0, partial, 'read'),
      bind(1, out, 'write'),
      bind(3, ctx.constant(sizeWords(words)), 'uniform'),
    ],
    workgroups: grid.workgroups,
    variant: `parts ${parts}`,
    flops: count * parts,
    bytes: 4 * count * (parts + 1),
  };
}

/** gb[k] = sum of gy [n,k,h,w] (planes layout) over n, h and w; `gb` [k] contiguous. */
export function conv2dBiasGrad(io: { readonly gy: Operand; readonly gb: Operand }, ctx: Lowering): Launch[] {
  const [n, k, h, w] = io.gy.shape as readonly [number, number, number, number];
  const plane = h * w;
  const { software } = ctx.facts;
  // Enough parts to fill a device where channels are few, but none so small that what ends it outweighs the walk.
  const [unit, lanes, least] = software ? [4, 128, 64] : [256, 512, 4096];
  const wanted = Math.min(Math.ceil(lanes / k), Math.ceil((n * plane) / least));
  const pieces = Math.min(Math.ceil(wanted / n), Math.ceil(plane / unit));
  const piece = Math.ceil(plane / pieces / unit) * unit;
  const images = Math.ceil(n / Math.min(n, Math.ceil(wanted / pieces)));
  const parts = Math.ceil(n / images) * pieces;
  const partial = parts > 1 ? ctx.scratch([k, parts]) : io.gb;
  const { GY_OFFSET, GY_BATCH } = planes('GY', io.gy);
  const words = [
    n,
    plane,
    images,
    piece,
    pieces,
    parts,
    GY_OFFSET as number,
    GY_BATCH as number,
    partial.layout.offset,
    k,
  ];
  const first: Launch = {
    shader: software ? biasGradRuns : biasGrad,
    pieces: [sizes],
    constants: { GY_TYPE: storedType(io.gy) },
    bindings: [
      bind(0, io.gy, 'read'),
      bind(1, partial, 'write'),
      bind(3, ctx.constant(sizeWords(words)), 'uniform'),
    ],
    workgroups: software ? [Math.ceil((k * parts) / 8), 1, 1] : [k, parts, 1],
    variant: `parts ${parts}`,
    flops: n * k * plane,
    bytes: operandBytes(io.gy, io.gb),
  };
  if (parts === 1) return [first];
  return [first, reducePartsLaunch(partial, io.gb, k, parts, { part: 1, item: parts }, ctx)];
}
