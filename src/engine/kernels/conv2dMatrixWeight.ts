/** The weight gradient of a convolution without padding as a matrix product: what weight_grad_patches.wgsl and its like have in common. */
import sizes from '../../shaders/conv2d/sizes.wgsl';
import { type Launch, type Lowering, type Operand, type Shader, storedType } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops, planes, sizeWords } from './conv2dProblem.js';

export interface MatrixWeightGradOperands {
  readonly x: Operand;
  readonly gy: Operand;
  readonly gw: Operand;
}

/** How a weight gradient is split and run. */
export interface MatrixWeightGradForm {
  readonly shader: Shader;
  /** Pixels or rows of a part, as the kernel says, and how many parts there are. */
  readonly run: number;
  readonly parts: number;
  readonly workgroups: Launch['workgroups'];
  readonly variant: string;
}

/** The weight gradient: partial sums, and their sum where there are several. `gw` [k, c, kh, kw] is contiguous. */
export function matrixWeightGrad(
  { shader, run, parts, workgroups, variant }: MatrixWeightGradForm,
  p: Conv2dProblem,
  io: MatrixWeightGradOperands,
  ctx: Lowering,
): Launch[] {
  const count = p.k * p.c * p.kh * p.kw;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const words = ctx.constant(weightGradWords(p, io, sums, run, parts));
  const launches: Launch[] = [
    {
      shader,
      pieces: [sizes],
      constants: { X_TYPE: storedType(io.x), GY_TYPE: storedType(io.gy) },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, words, 'uniform'),
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

/** Words for the weight gradient's kernels. */
function weightGradWords(
  p: Conv2dProblem,
  io: { readonly x: Operand; readonly gy: Operand },
  sums: Operand,
  run: number,
  parts: number,
): number[] {
  const x = planes('X', io.x);
  const gy = planes('GY', io.gy);
  return sizeWords([
    p.c * p.kh * p.kw,
    p.k,
    p.n * p.oh * p.ow,
    p.oh,
    p.ow,
    0,
    p.kh,
    p.kw,
    p.dh * p.w,
    p.dw,
    p.h * p.w,
    x.X_BATCH as number,
    p.sh * p.w,
    p.sw,
    x.X_OFFSET as number,
    0,
    sums.layout.offset,
    gy.GY_OFFSET as number,
    run,
    parts,
    gy.GY_BATCH as number,
    p.ow,
    1,
  ]);
}
