import type { Operand } from '../kernel.js';
import { reduceMax, reduceSum } from '../kernels/reduce.js';
import type { Gradient, Op } from '../op.js';
import type { Tensor } from '../tensor.js';

/** `shape` with the reduced axes put back as 1, so that it broadcasts against the input. */
function withAxes(g: Tensor, full: readonly number[], axes: readonly number[]): Tensor {
  return g.reshape(full.map((size, i) => (axes.includes(i) ? 1 : size)));
}

export const sumOp: Op<{ readonly axes: readonly number[]; readonly scale: number }> = {
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

export const maxOp: Op<{ readonly axes: readonly number[] }> = {
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
    const share = gy.div(isMax.sum(attrs.axes).reshape(gy.shape));
    return [isMax.mul(withAxes(share, x.shape, attrs.axes))];
  },
};
