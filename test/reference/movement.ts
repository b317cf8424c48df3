import { type Array64, at, coordinates, flatIndex, numel, strides, zeros } from './array.js';
import { broadcastIndex } from './binary.js';
import { input, type ReferenceOp } from './op.js';

/**
 * An op that only moves elements: for each element of the result, which input it comes from (-1: none) and where it
 * lies there. Value and gradient both follow from that.
 */
interface Moved {
  readonly shape: readonly number[];
  source(where: readonly number[]): readonly [which: number, index: number];
  /** What elements that come from no input hold. */
  readonly fill: number;
}

function movement<Options>(
  rule: (inputs: readonly Array64[], options: Options) => Moved,
): ReferenceOp<Options> {
  return {
    forward(inputs, options) {
      const { shape, source, fill } = rule(inputs, options);
      const out = zeros(shape);
      for (let i = 0; i < out.data.length; i++) {
        const [which, index] = source(coordinates(shape, i));
        out.data[i] = which < 0 ? fill : at(input(inputs, which), index);
      }
      return out;
    },
    vjp(inputs, options, g) {
      const { shape, source } = rule(inputs, options);
      const grads = inputs.map((x) => zeros(x.shape));
      for (let i = 0; i < g.data.length; i++) {
        const [which, index] = source(coordinates(shape, i));
        const to = grads[which];
        if (to) to.data[index] = at(to, index) + at(g, i);
      }
      return grads;
    },
  };
}

export interface ReshapeOptions {
  readonly shape: readonly number[];
}

export const reshape = movement<ReshapeOptions>((inputs, options) => {
  const shape = [...options.shape];
  const free = shape.indexOf(-1);
  if (free >= 0) shape[free] = numel(input(inputs, 0).shape) / -numel(shape);
  const steps = strides(shape);
  return { shape, fill: 0, source: (where) => [0, flatIndex(steps, where)] };
});

export interface SliceOptions {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
}

export const slice = movement<SliceOptions>((inputs, { axis, start, end, step = 1 }) => {
  const x = input(inputs, 0);
  const k = axis < 0 ? axis + x.shape.length : axis;
  const size = x.shape[k] as number;
  const clip = (v: number) => Math.min(size, Math.max(0, v < 0 ? v + size : v));
  const [from, to] = [clip(start), clip(end)];
  const steps = strides(x.shape);
  return {
    shape: x.shape.map((n, i) => (i === k ? Math.ceil((to - from) / step) : n)),
    fill: 0,
    source: (where) => [
      0,
      flatIndex(
        steps,
        where.map((v, i) => (i === k ? from + v * step : v)),
      ),
    ],
  };
});

export interface PadOptions {
  /** [last axis before, last axis after, the axis before it, ...]; negative widths crop. */
  readonly widths: readonly number[];
  readonly value?: number;
}

export const pad = movement<PadOptions>((inputs, { widths, value = 0 }) => {
  const x = input(inputs, 0);
  const rank = x.shape.length;
  const before = x.shape.map((_, i) => widths[2 * (rank - 1 - i)] ?? 0);
  const after = x.shape.map((_, i) => widths[2 * (rank - 1 - i) + 1] ?? 0);
  const steps = strides(x.shape);
  return {
    shape: x.shape.map((n, i) => n + (before[i] as number) + (after[i] as number)),
    fill: value,
    source(where) {
      const from = where.map((v, i) => v - (before[i] as number));
      const inside = from.every((v, i) => v >= 0 && v < (x.shape[i] as number));
      return inside ? [0, flatIndex(steps, from)] : [-1, 0];
    },
  };
});

export interface PermuteOptions {
  readonly axes: readonly number[];
}

export const permute = movement<PermuteOptions>((inputs, { axes }) => {
  const x = input(inputs, 0);
  const order = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  const steps = order.map((axis) => strides(x.shape)[axis] as number);
  return {
    shape: order.map((axis) => x.shape[axis] as number),
    fill: 0,
    source: (where) => [0, flatIndex(steps, where)],
  };
});

export interface ExpandOptions {
  readonly shape: readonly number[];
}

export const expand = movement<ExpandOptions>((inputs, { shape }) => ({
  shape,
  fill: 0,
  source: (where) => [0, broadcastIndex(input(inputs, 0).shape, where)],
}));

export interface CatOptions {
  readonly axis: number;
}

export const cat = movement<CatOptions>((inputs, { axis }) => {
  const first = input(inputs, 0);
  const k = axis < 0 ? axis + first.shape.length : axis;
  const sizes = inputs.map((x) => x.shape[k] as number);
  return {
    shape: first.shape.map((n, i) => (i === k ? sizes.reduce((a, b) => a + b, 0) : n)),
    fill: 0,
    source(where) {
      let place = where[k] as number;
      let which = 0;
      while (place >= (sizes[which] as number)) place -= sizes[which++] as number;
      const steps = strides(input(inputs, which).shape);
      return [
        which,
        flatIndex(
          steps,
          where.map((v, i) => (i === k ? place : v)),
        ),
      ];
    },
  };
});
