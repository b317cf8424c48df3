import { fail, shapeText } from '../errors.js';
import type { Operand } from '../kernel.js';
import { bceLogitsMean, bceMean, diceLoss as diceLaunch, diceLossGrad, diceSums } from '../kernels/loss.js';
import type { Gradient, Op } from '../op.js';
import { floats, sameShape, Tensor } from '../tensor.js';
import { sum } from './reduce.js';
import { slope } from './slopes.js';

/** One value, the mean or sum over all elements, or `none`: a loss for each element. */
export type Reduction = 'mean' | 'sum' | 'none';

function checkPair(what: string, p: Tensor, t: Tensor): void {
  floats(what, p, t);
  if (!sameShape(p.shape, t.shape)) {
    fail(
      `${what}: the prediction ${shapeText(p.shape)} and the target ${shapeText(t.shape)} must have the same shape.`,
    );
  }
}

/** inputs: p, t; the mean over all elements. */
const bceMeanOp: Op<object> = {
  name: 'binaryCrossEntropy',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower: ({ inputs: [p, t], output }, ctx) => bceMean(p as Operand, t as Operand, output, ctx),
};

export const bceMeanGradient: Gradient<object> = {
  of: bceMeanOp,
  rule({ gy, inputs, needs }) {
    const [p, t] = inputs as [Tensor, Tensor];
    const g = gy.mul(1 / p.size).reshape(p.shape.map(() => 1));
    return [
      needs[0] ? slope('bceGrad', p, t).mul(g) : null,
      needs[1] ? slope('bceGradTarget', p, t).mul(g) : null,
    ];
  },
};

/** inputs: x (logits), t */
const bceLogitsMeanOp: Op<object> = {
  name: 'binaryCrossEntropyWithLogits',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower: ({ inputs: [x, t], output }, ctx) => bceLogitsMean(x as Operand, t as Operand, output, ctx),
};

export const bceLogitsMeanGradient: Gradient<object> = {
  of: bceLogitsMeanOp,
  rule({ gy, inputs, needs }) {
    const [x, t] = inputs as [Tensor, Tensor];
    const g = gy.mul(1 / x.size).reshape(x.shape.map(() => 1));
    return [needs[0] ? slope('bceLogitsGrad', x, t).mul(g) : null, needs[1] ? x.neg().mul(g) : null];
  },
};

function reduce(perElement: () => Tensor, mean: () => Tensor, reduction: Reduction): Tensor {
  if (reduction === 'mean') return mean();
  return reduction === 'sum' ? sum(perElement()) : perElement();
}

/**
 * Binary cross-entropy of probabilities p against targets t of the same shape, both in 0..1, as
 * torch.nn.functional.binary_cross_entropy: logarithms are clamped at -100, and the gradient is
 * (p - t) / max(p (1 - p), 1e-12).
 */
export function binaryCrossEntropy(p: Tensor, t: Tensor, options: { reduction?: Reduction } = {}): Tensor {
  checkPair('binaryCrossEntropy', p, t);
  return reduce(
    () => slope('bce', p, t),
    () => Tensor.of(bceMeanOp, [p, t], [], {}),
    options.reduction ?? 'mean',
  );
}

/** As binaryCrossEntropy of sigmoid(x), but finite for any x and with a gradient everywhere: sigmoid(x) - t. */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  t: Tensor,
  options: { reduction?: Reduction } = {},
): Tensor {
  checkPair('binaryCrossEntropyWithLogits', x, t);
  return reduce(
    () => slope('bceLogits', x, t),
    () => Tensor.of(bceLogitsMeanOp, [x, t], [], {}),
    options.reduction ?? 'mean',
  );
}

/** inputs: p, t; result [3]: sum(p t), sum(p), sum(t). */
const diceSumsOp: Op<object> = {
  name: 'diceSums',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower: ({ inputs: [p, t], output }, ctx) => diceSums(p as Operand, t as Operand, output, ctx),
};

export const diceSumsGradient: Gradient<object> = {
  of: diceSumsOp,
  rule({ gy, inputs, needs }) {
    const [p, t] = inputs as [Tensor, Tensor];
    const part = (i: number) => gy.slice(0, i, i + 1).reshape(p.shape.map(() => 1));
    return [needs[0] ? t.mul(part(0)).add(part(1)) : null, needs[1] ? p.mul(part(0)).add(part(2)) : null];
  },
};

interface DiceAttrs {
  readonly smooth: number;
}

/** inputs: sums, p, t. p and t are named so that the gradient for p is one kernel. */
const diceLossOp: Op<DiceAttrs> = {
  name: 'diceLoss',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower: ({ inputs: [sums], output, attrs }) => diceLaunch(sums as Operand, output, attrs),
};

export const diceLossGradient: Gradient<DiceAttrs> = {
  of: diceLossOp,
  rule({ gy, inputs, attrs, needs }) {
    const [sums, p, t] = inputs as [Tensor, Tensor, Tensor];
    // The sums carry nothing themselves: the formula goes straight to p and t, in which it is symmetric.
    return [
      null,
      needs[1] ? Tensor.of(diceLossGradOp, [sums, t, gy], p.shape, attrs) : null,
      needs[2] ? Tensor.of(diceLossGradOp, [sums, p, gy], t.shape, attrs) : null,
    ];
  },
};

/** inputs: sums, the other of p and t, d(loss) */
const diceLossGradOp: Op<DiceAttrs> = {
  name: 'diceLossGrad',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower: ({ inputs: [sums, t, g], output, attrs }, ctx) =>
    diceLossGrad(sums as Operand, t as Operand, g as Operand, output, attrs, ctx),
};

/**
 * Soft Dice loss over the whole flattened batch: 1 - (2 sum(p t) + smooth) / (sum p + sum t + smooth).
 * p and t have the same shape; the result is a scalar.
 */
export function diceLoss(p: Tensor, t: Tensor, options: { smooth?: number } = {}): Tensor {
  checkPair('diceLoss', p, t);
  return Tensor.of(diceLossOp, [Tensor.of(diceSumsOp, [p, t], [3], {}), p, t], [], {
    smooth: options.smooth ?? 1,
  });
}
