import { fail } from '../errors.js';
import { contiguousStrides, type Launch, type Lowering, type Operand } from '../kernel.js';
import { copyStrided, pad } from '../kernels/movement.js';
import { broadcastStrides } from '../kernels/strided.js';
import { isContiguous, sliceOperand } from '../layout.js';
import type { Gradient, LowerInput, Op } from '../op.js';
import type { Tensor } from '../tensor.js';

/** What an op that only looks at its input differently does where it cannot: the same look, copied. */
function copyOfView<A>(op: Op<A>, { inputs, output, attrs }: LowerInput<A>, ctx: Lowering): Launch[] {
  const input = inputs[0] as Operand;
  const layout = op.view?.({ input, shape: output.shape, attrs }) ?? fail(`${op.name}: no view to copy.`);
  return copyStrided({ ...input, shape: output.shape, layout }, output, ctx);
}

export const reshapeOp: Op<object> = {
  name: 'reshape',
  inputLayout: 'contiguous',
  outputLayout: 'any',
  lower: (io, ctx) => copyOfView(reshapeOp, io, ctx),
  view: ({ input, shape }) =>
    isContiguous(input) ? { offset: input.layout.offset, strides: contiguousStrides(shape) } : null,
};

export const reshapeGradient: Gradient<object> = {
  of: reshapeOp,
  rule: ({ gy, inputs: [x] }) => [gy.reshape((x as Tensor).shape)],
};

export const sliceOp: Op<{ readonly axis: number; readonly start: number; readonly step: number }> = {
  name: 'slice',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: (io, ctx) => copyOfView(sliceOp, io, ctx),
  view: ({ input, shape, attrs }) =>
    sliceOperand(input, attrs.axis, attrs.start, shape[attrs.axis] as number, attrs.step).layout,
};

export const sliceGradient: Gradient<{
  readonly axis: number;
  readonly start: number;
  readonly step: number;
}> = {
  of: sliceOp,
  rule({ gy, inputs: [input], attrs: { axis, start, step } }) {
    const x = input as Tensor;
    let g = gy;
    const size = x.shape[axis] as number;
    if (step > 1) {
      // Spread by interleaving zeros: [.., n, 1, ..] padded to [.., n, step, ..].
      const n = gy.shape[axis] as number;
      const split = [...gy.shape.slice(0, axis), n, 1, ...gy.shape.slice(axis + 1)];
      const widths = new Array<number>(2 * (split.length - axis - 1)).fill(0);
      widths[widths.length - 1] = step - 1;
      const flat = [...gy.shape];
      flat[axis] = n * step;
      g = gy.reshape(split).pad(widths).reshape(flat);
    }
    const widths = new Array<number>(2 * (x.rank - axis)).fill(0);
    widths[widths.length - 2] = start;
    widths[widths.length - 1] = size - start - (g.shape[axis] as number);
    return [g.pad(widths)];
  },
};

export const padOp: Op<{ readonly before: readonly number[]; readonly value: number }> = {
  name: 'pad',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [x], output, attrs }) => pad(x as Operand, output, [...attrs.before], attrs.value),
};

export const padGradient: Gradient<{ readonly before: readonly number[]; readonly value: number }> = {
  of: padOp,
  rule({ gy, inputs: [input], attrs }) {
    const x = input as Tensor;
    const widths: number[] = [];
    for (let axis = x.rank - 1; axis >= 0; axis--) {
      const before = attrs.before[axis] as number;
      const after = (gy.shape[axis] as number) - (x.shape[axis] as number) - before;
      widths.push(-before, -after);
    }
    return [gy.pad(widths)];
  },
};

export const permuteOp: Op<{ readonly order: readonly number[] }> = {
  name: 'permute',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: (io, ctx) => copyOfView(permuteOp, io, ctx),
  view: ({ input, attrs }) => ({
    offset: input.layout.offset,
    strides: attrs.order.map((axis) => input.layout.strides[axis] as number),
  }),
};

export const permuteGradient: Gradient<{ readonly order: readonly number[] }> = {
  of: permuteOp,
  rule({ gy, attrs }) {
    const back = new Array<number>(attrs.order.length);
    attrs.order.forEach((axis, i) => {
      back[axis] = i;
    });
    return [gy.permute(...back)];
  },
};

export const expandOp: Op<object> = {
  name: 'expand',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: (io, ctx) => copyOfView(expandOp, io, ctx),
  view: ({ input, shape }) => ({
    offset: input.layout.offset,
    strides: broadcastStrides(input, shape, 'expand'),
  }),
};

export const expandGradient: Gradient<object> = {
  of: expandOp,
  rule({ gy, inputs: [input] }) {
    const x = input as Tensor;
    const lead = gy.rank - x.rank;
    const axes: number[] = [];
    gy.shape.forEach((size, i) => {
      if (i < lead || (x.shape[i - lead] === 1 && size !== 1)) axes.push(i);
    });
    return [gy.sum(axes).reshape(x.shape)];
  },
};

/** Joins tensors along an axis. The plan lets producers write their part in place; what cannot is copied here. */
export const catOp: Op<{ readonly axis: number; readonly inPlace?: readonly boolean[] }> = {
  name: 'cat',
  inputLayout: 'any',
  outputLayout: 'any',
  lower({ inputs, output, attrs }, ctx) {
    let start = 0;
    return inputs.flatMap((x, i) => {
      const size = x.shape[attrs.axis] as number;
      const part = sliceOperand(output, attrs.axis, start, size, 1);
      start += size;
      return attrs.inPlace?.[i] ? [] : copyStrided(x, part, ctx);
    });
  },
};

export const catGradient: Gradient<{ readonly axis: number; readonly inPlace?: readonly boolean[] }> = {
  of: catOp,
  rule({ gy, inputs, attrs }) {
    let start = 0;
    return inputs.map((x) => {
      const size = x.shape[attrs.axis] as number;
      const part = gy.slice(attrs.axis, start, start + size);
      start += size;
      return part;
    });
  },
};
