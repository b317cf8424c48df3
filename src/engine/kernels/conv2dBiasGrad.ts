import biasGrad from '../../shaders/conv2d/bias_grad.wgsl';
import reduceParts from '../../shaders/conv2d/reduce_parts.wgsl';
import sizes from '../../shaders/conv2d/sizes.wgsl';
import { type Launch, type Lowering, type Operand, type Shader, storedType } from '../kernel.js';
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

/** `gy` [n,k,h,w] in planes layout; `gb` [k] contiguous. */
export interface BiasGradOperands {
  readonly gy: Operand;
  readonly gb: Operand;
}

/** One of the kernels of the bias gradient, and how it wants the pixels of a channel cut into parts. */
export interface BiasGradKernel {
  readonly shader: Shader;
  /** Pixels that a part's length is a multiple of, and the fewest that are worth one. */
  readonly unit: number;
  readonly least: number;
  /** Parts of all channels that fill a device. */
  readonly lanes: number;
  workgroups(channels: number, parts: number): readonly [number, number, number];
}

/** What the bias gradient is by `kernel`. */
export function lowerBiasGrad(kernel: BiasGradKernel, io: BiasGradOperands, ctx: Lowering): Launch[] {
  const [n, k, h, w] = io.gy.shape as readonly [number, number, number, number];
  const plane = h * w;
  // Enough parts to fill a device where channels are few, but none so small that what ends it outweighs the walk.
  const wanted = Math.min(Math.ceil(kernel.lanes / k), Math.ceil((n * plane) / kernel.least));
  const pieces = Math.min(Math.ceil(wanted / n), Math.ceil(plane / kernel.unit));
  const piece = Math.ceil(plane / pieces / kernel.unit) * kernel.unit;
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
    shader: kernel.shader,
    pieces: [sizes],
    constants: { GY_TYPE: storedType(io.gy) },
    bindings: [
      bind(0, io.gy, 'read'),
      bind(1, partial, 'write'),
      bind(3, ctx.constant(sizeWords(words)), 'uniform'),
    ],
    workgroups: kernel.workgroups(k, parts),
    variant: `parts ${parts}`,
    flops: n * k * plane,
    bytes: operandBytes(io.gy, io.gb),
  };
  if (parts === 1) return [first];
  return [first, reducePartsLaunch(partial, io.gb, k, parts, { part: 1, item: parts }, ctx)];
}

const inGroups: BiasGradKernel = {
  shader: biasGrad,
  unit: 256,
  least: 4096,
  lanes: 512,
  workgroups: (channels, parts) => [channels, parts, 1],
};

/** gb[k] = sum of gy over n, h and w. */
export function conv2dBiasGrad(io: BiasGradOperands, ctx: Lowering): Launch[] {
  return lowerBiasGrad(ctx.kernels?.conv2dBiasGrad?.(ctx.facts) ?? inGroups, io, ctx);
}
