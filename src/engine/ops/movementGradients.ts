/** How gradients go back through the ops that move elements. Apart from the ops, which `Tensor` has: what sums stands above it. */
import type { Gradient } from '../op.js';
import type { Tensor } from '../tensor.js';
import { catOp, expandOp, permuteOp, reshapeOp, sliceOp } from './movement.js';
import { pad, padOp } from './pad.js';
import { sumTo } from './sumTo.js';

export const reshapeGradient: Gradient<object> = {
  of: reshapeOp,
  rule: ({ gy, inputs: [x] }) => [gy.reshape((x as Tensor).shape)],
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
      g = pad(gy.reshape(split), widths).reshape(flat);
    }
    const widths = new Array<number>(2 * (x.rank - axis)).fill(0);
    widths[widths.length - 2] = start;
    widths[widths.length - 1] = size - start - (g.shape[axis] as number);
    return [pad(g, widths)];
  },
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
    return [pad(gy, widths)];
  },
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

export const expandGradient: Gradient<object> = {
  of: expandOp,
  rule: ({ gy, inputs: [x] }) => [sumTo(gy, (x as Tensor).shape)],
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
