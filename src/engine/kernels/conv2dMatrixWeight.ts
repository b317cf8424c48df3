/** The weight gradient of a convolution without padding as a matrix product: what weight_grad_patches.wgsl and its like have in common. */
import type { Launch, Lowering, Operand } from '../kernel.js';
import { type Conv2dProblem, planes, sizeWords } from './conv2dProblem.js';
import {
  type WeightGradParts,
  type WeightGradPartsOperands,
  weightGradParts,
} from './conv2dWeightGradParts.js';

export interface MatrixWeightGradForm extends WeightGradParts {
  /** Pixels or rows of a part, as the kernel says. */
  readonly run: number;
}

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function matrixWeightGrad(
  form: MatrixWeightGradForm,
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  ctx: Lowering,
): Launch[] {
  return weightGradParts(form, p, io, (sums) => weightGradWords(p, io, sums, form.run, form.parts), ctx);
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
