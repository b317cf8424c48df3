import { type Array64, at, map, sameShape, scalar } from './array.js';
import { input, type ReferenceOp } from './op.js';
import { sigmoid64, softplus64 } from './unary.js';

export interface LossOptions {
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/** What each element's gradient is multiplied by: the cotangent spread over the elements by the reduction. */
function spread(g: Array64, { reduction = 'mean' }: LossOptions, count: number): (i: number) => number {
  if (reduction === 'none') return (i) => at(g, i);
  const each = at(g, 0) / (reduction === 'mean' ? count : 1);
  return () => each;
}

/** A loss of a prediction and a target of one shape, taken element by element; `d` is its gradient for both. */
function elementwise(
  f: (p: number, t: number) => number,
  d: (p: number, t: number) => readonly [number, number],
): ReferenceOp<LossOptions> {
  return {
    forward(inputs, options) {
      const [p, t] = [input(inputs, 0), input(inputs, 1)];
      sameShape(p, t);
      const each = map(p, (value, i) => f(value, at(t, i)));
      if (options.reduction === 'none') return each;
      const total = each.data.reduce((a, b) => a + b, 0);
      return scalar(options.reduction === 'sum' ? total : total / each.data.length);
    },
    vjp(inputs, options, g) {
      const [p, t] = [input(inputs, 0), input(inputs, 1)];
      const scale = spread(g, options, p.data.length);
      return [
        map(p, (value, i) => d(value, at(t, i))[0] * scale(i)),
        map(p, (value, i) => d(value, at(t, i))[1] * scale(i)),
      ];
    },
  };
}

/** 1e-12 as PyTorch has it, a float32 even where all else is float64. */
const LEAST = Math.fround(1e-12);

/** inputs: p, t in 0..1. Logarithms are clamped at -100, the denominator of the gradient at 1e-12. */
export const binaryCrossEntropy = elementwise(
  (p, t) => (t - 1) * Math.max(Math.log1p(-p), -100) - t * Math.max(Math.log(p), -100),
  (p, t) => [(p - t) / Math.max(p * (1 - p), LEAST), Math.log1p(-p) - Math.log(p)],
);

/** inputs: logits, t. */
export const binaryCrossEntropyWithLogits = elementwise(
  (x, t) => softplus64(x) - x * t,
  (x, t) => [sigmoid64(x) - t, -x],
);

export interface DiceOptions {
  readonly smooth?: number;
}

/** inputs: p, t of any one shape. 1 - (2 sum(p t) + smooth) / (sum p + sum t + smooth). */
export const diceLoss: ReferenceOp<DiceOptions> = {
  forward(inputs, { smooth = 1 }) {
    const { above, below } = diceParts(inputs, smooth);
    return scalar(1 - above / below);
  },
  vjp(inputs, { smooth = 1 }, g) {
    const [p, t] = [input(inputs, 0), input(inputs, 1)];
    const { above, below } = diceParts(inputs, smooth);
    const slope = (other: number) => (-at(g, 0) * (2 * other * below - above)) / (below * below);
    return [map(t, (other) => slope(other)), map(p, (other) => slope(other))];
  },
};

function diceParts(inputs: readonly Array64[], smooth: number): { above: number; below: number } {
  const [p, t] = [input(inputs, 0), input(inputs, 1)];
  sameShape(p, t);
  let [both, all] = [0, 0];
  for (let i = 0; i < p.data.length; i++) {
    both += at(p, i) * at(t, i);
    all += at(p, i) + at(t, i);
  }
  return { above: 2 * both + smooth, below: all + smooth };
}
