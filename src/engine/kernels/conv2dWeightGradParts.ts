/** Weight gradients whose sum over pixels is cut into parts: the kernel's launch, and the one that adds the parts. */
import sizes from '../../shaders/conv2d/sizes.wgsl';
import { type Launch, type Lowering, type Operand, type Shader, storedType } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops } from './conv2dProblem.js';

export interface WeightGradPartsOperands {
  readonly x: Operand;
  readonly gy: Operand;
  /** [k, c, kh, kw], contiguous. */
  readonly gw: Operand;
}

export interface WeightGradParts {
  readonly shader: Shader;
  readonly parts: number;
  readonly workgroups: Launch['workgroups'];
  /** For the printed plan, without the number of parts. */
  readonly variant: string;
}

/** `words`: for sizes.wgsl, where `sums` is what the kernel writes: [parts, k, c, kh, kw], or gw itself where there is one part. */
export function weightGradParts(
  { shader, parts, workgroups, variant }: WeightGradParts,
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  words: (sums: Operand) => number[],
  ctx: Lowering,
): Launch[] {
  const count = p.k * p.c * p.kh * p.kw;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const launches: Launch[] = [
    {
      shader,
      pieces: [sizes],
      constants: { X_TYPE: storedType(io.x), GY_TYPE: storedType(io.gy) },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, ctx.constant(words(sums)), 'uniform'),
      ],
      workgroups,
      variant: `${variant}, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}
