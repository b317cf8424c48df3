import { type Array64, at, coordinates, flatIndex, strides, zeros } from './array.js';
import { input, type ReferenceOp } from './op.js';

export interface ReduceOptions {
  /** All axes when left out. Negative axes count from the end. */
  readonly axes?: readonly number[];
  readonly keepdim?: boolean;
}

interface Groups {
  readonly shape: number[];
  /** Flat index in the result for each element. */
  readonly of: Int32Array;
  /** Elements that make one result. */
  readonly count: number;
}

function groups(x: Array64, { axes, keepdim = false }: ReduceOptions): Groups {
  const rank = x.shape.length;
  const gone = new Set((axes ?? x.shape.map((_, i) => i)).map((axis) => (axis < 0 ? axis + rank : axis)));
  const withOnes = x.shape.map((size, i) => (gone.has(i) ? 1 : size));
  const steps = strides(withOnes);
  const of = Int32Array.from(x.data, (_, i) =>
    flatIndex(
      steps,
      coordinates(x.shape, i).map((v, axis) => (gone.has(axis) ? 0 : v)),
    ),
  );
  const count = x.shape.reduce((n, size, i) => (gone.has(i) ? n * size : n), 1);
  return { shape: keepdim ? withOnes : x.shape.filter((_, i) => !gone.has(i)), of, count };
}

export const sum: ReferenceOp<ReduceOptions> = {
  forward(inputs, options) {
    const x = input(inputs, 0);
    const { shape, of } = groups(x, options);
    const out = zeros(shape);
    of.forEach((o, i) => {
      out.data[o] = at(out, o) + at(x, i);
    });
    return out;
  },
  vjp(inputs, options, g) {
    const x = input(inputs, 0);
    return [{ shape: x.shape, data: Float64Array.from(groups(x, options).of, (o) => at(g, o)) }];
  },
};

export const mean: ReferenceOp<ReduceOptions> = {
  forward(inputs, options) {
    const { count } = groups(input(inputs, 0), options);
    const total = sum.forward(inputs, options);
    return { shape: total.shape, data: total.data.map((value) => value / count) };
  },
  vjp(inputs, options, g) {
    const x = input(inputs, 0);
    const { of, count } = groups(x, options);
    return [{ shape: x.shape, data: Float64Array.from(of, (o) => at(g, o) / count) }];
  },
};

/** Equal maxima share the gradient evenly. */
export const amax: ReferenceOp<ReduceOptions> = {
  forward(inputs, options) {
    const x = input(inputs, 0);
    const { shape, of } = groups(x, options);
    const out = zeros(shape);
    out.data.fill(Number.NEGATIVE_INFINITY);
    of.forEach((o, i) => {
      out.data[o] = Math.max(at(out, o), at(x, i));
    });
    return out;
  },
  vjp(inputs, options, g) {
    const x = input(inputs, 0);
    const { of } = groups(x, options);
    const top = amax.forward(inputs, options);
    const equals = zeros(top.shape);
    of.forEach((o, i) => {
      if (at(x, i) === at(top, o)) equals.data[o] = at(equals, o) + 1;
    });
    const data = Float64Array.from(of, (o, i) => (at(x, i) === at(top, o) ? at(g, o) / at(equals, o) : 0));
    return [{ shape: x.shape, data }];
  },
};
