import { fail } from '../errors.js';
import { contiguousStrides, type Launch, type Lowering, type Operand } from '../kernel.js';
import { copyStrided } from '../kernels/movement.js';
import { broadcastStrides } from '../kernels/strided.js';
import { isContiguous, sliceOperand } from '../layout.js';
import type { LowerInput, Op } from '../op.js';

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

export const sliceOp: Op<{ readonly axis: number; readonly start: number; readonly step: number }> = {
  name: 'slice',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: (io, ctx) => copyOfView(sliceOp, io, ctx),
  view: ({ input, shape, attrs }) =>
    sliceOperand(input, attrs.axis, attrs.start, shape[attrs.axis] as number, attrs.step).layout,
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
