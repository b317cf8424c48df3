import { fail, shapeText } from '../errors.js';
import { numel, type Operand } from '../kernel.js';
import { reduceMax, reduceSum } from '../kernels/reduce.js';
import type { Gradient, Op } from '../op.js';
import { axisIndex, floats, Tensor } from '../tensor.js';

export interface ReductionOptions {
  /** Keeps the axes that were reduced, with a size of 1. */
  readonly keepdim?: boolean;
}

/** `shape` with the reduced axes put back as 1, so that it broadcasts against the input. */
function withAxes(g: Tensor, full: readonly number[], axes: readonly number[]): Tensor {
  return g.reshape(full.map((size, i) => (axes.includes(i) ? 1 : size)));
}

const sumOp: Op<{ readonly axes: readonly number[]; readonly scale: number }> = {
  name: 'sum',
  inputLayout: 'any',
  outputLayout: 'contiguous',
  lower: ({ inputs: [x], output, attrs }, ctx) =>
    reduceSum(x as Operand, output, { axes: [...attrs.axes], scale: attrs.scale }, ctx),
};

export const sumGradient: Gradient<{ readonly axes: readonly number[]; readonly scale: number }> = {
  of: sumOp,
  rule: ({ gy, inputs: [x], attrs }) => {
    const shape = (x as Tensor).shape;
    return [withAxes(gy.mul(attrs.scale), shape, attrs.axes).expand(shape)];
  },
};

const maxOp: Op<{ readonly axes: readonly number[] }> = {
  name: 'amax',
  inputLayout: 'any',
  outputLayout: 'contiguous',
  lower: ({ inputs: [x], output, attrs }, ctx) =>
    reduceMax(x as Operand, output, { axes: [...attrs.axes] }, ctx),
};

export const maxGradient: Gradient<{ readonly axes: readonly number[] }> = {
  of: maxOp,
  rule: ({ gy, inputs: [input], output, attrs }) => {
    const x = input as Tensor;
    const isMax = x.eq(withAxes(output, x.shape, attrs.axes));
    const share = gy.div(sum(isMax, attrs.axes).reshape(gy.shape));
    return [isMax.mul(withAxes(share, x.shape, attrs.axes))];
  },
};

/** What a reduction is made of: the input as f32, its axes in order, and the result's shape. */
function reduced(
  what: string,
  input: Tensor,
  named: number | readonly number[] = [],
  { keepdim = false }: ReductionOptions = {},
) {
  const x = input.dtype === 'f16' ? input.float() : input;
  floats(what, x);
  const { shape } = x;
  const list = typeof named === 'number' ? [named] : named;
  // As in PyTorch, naming no axis means all of them.
  const asked = list.length > 0 ? list : shape.map((_, i) => i);
  const found = new Set(asked.map((axis) => axisIndex(what, axis, shape.length)));
  if (found.size !== asked.length) fail(`${what}: an axis is named twice in ${shapeText(asked)}.`);
  const axes = [...found].sort((a, b) => a - b);
  const kept = shape.flatMap((size, i) => (!found.has(i) ? [size] : keepdim ? [1] : []));
  return { x, kept, axes };
}

/**
 * Sum of x over `axes`, as torch.sum: one axis or several, all where none is named; negative axes count from the end. The
 * result has the other axes, and of f16 too it is f32.
 * @throws ShaderGradError where an axis is not there or named twice, or x holds integers
 */
export function sum(x: Tensor, axes?: number | readonly number[], options?: ReductionOptions): Tensor {
  const { x: from, kept, axes: list } = reduced('sum', x, axes, options);
  return Tensor.of(sumOp, [from], kept, { axes: list, scale: 1 });
}

/** Mean of x over `axes`, as torch.mean; arguments, result and errors as of {@link sum}. */
export function mean(x: Tensor, axes?: number | readonly number[], options?: ReductionOptions): Tensor {
  const { x: from, kept, axes: list } = reduced('mean', x, axes, options);
  return Tensor.of(sumOp, [from], kept, { axes: list, scale: numel(kept) / x.size });
}

/**
 * Largest value of x over `axes`, as torch.amax; arguments, result and errors as of {@link sum}. Its gradient is shared
 * evenly among equal maxima.
 */
export function amax(x: Tensor, axes?: number | readonly number[], options?: ReductionOptions): Tensor {
  const { x: from, kept, axes: list } = reduced('amax', x, axes, options);
  return Tensor.of(maxOp, [from], kept, { axes: list });
}
