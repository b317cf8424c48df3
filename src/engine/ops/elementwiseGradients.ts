/** How gradients go back through elementwise ops. Apart from the ops, which `Tensor` has: what sums stands above it. */
import type { SlopeKind } from '../kernels/slopes.js';
import type { GradInput, Gradient } from '../op.js';
import type { Tensor } from '../tensor.js';
import {
  type BinaryAttrs,
  type BinaryKind,
  binaryOp,
  type UnaryAttrs,
  type UnaryKind,
  unaryOp,
} from './elementwise.js';
import { type SlopeAttrs, slope, slopeOp } from './slopes.js';
import { sumTo } from './sumTo.js';

type UnaryRule = (gy: Tensor, x: Tensor, y: Tensor, attrs: UnaryAttrs) => Tensor;

/** d(loss)/dx from gy = d(loss)/dy; kinds that are flat almost everywhere are absent. */
const unaryRules: Partial<Record<UnaryKind, UnaryRule>> = {
  copy: (gy) => gy,
  neg: (gy) => gy.neg(),
  abs: (gy, x) => gy.mul(x.sign()),
  exp: (gy, _x, y) => gy.mul(y),
  log: (gy, x) => gy.div(x),
  sqrt: (gy, _x, y) => gy.div(y).mul(0.5),
  square: (gy, x) => gy.mul(x).mul(2),
  reciprocal: (gy, _x, y) => gy.mul(y.square()).neg(),
  sin: (gy, x) => gy.mul(x.cos()),
  cos: (gy, x) => gy.mul(x.sin()).neg(),
  tanh: (gy, _x, y) => slope('tanhGrad', gy, y),
  sigmoid: (gy, _x, y) => slope('sigmoidGrad', gy, y),
  relu: (gy, _x, y) => slope('reluGrad', gy, y),
  leakyRelu: (gy, x, _y, { a }) =>
    gy.mul(
      x
        .unary('heaviside')
        .mul(1 - a)
        .add(a),
    ),
  softplus: (gy, x) => gy.mul(x.sigmoid()),
  // Written so that it stays finite where the sigmoid is 0.
  silu: (gy, x) => {
    const s = x.sigmoid();
    return gy.mul(s).mul(x.mul(s.neg().add(1)).add(1));
  },
  clamp: (gy, x, _y, { a, b }) => gy.mul(x.ge(a)).mul(x.le(b)),
  addScalar: (gy) => gy,
  mulScalar: (gy, _x, _y, { a }) => gy.mul(a),
  // To the power of 0 the slope is 0, at x = 0 too.
  powScalar: (gy, x, _y, { a }) => gy.mul(x.pow(a === 0 ? 0 : a - 1)).mul(a),
};

export const unaryGradient: Gradient<UnaryAttrs> = {
  of: unaryOp,
  rule({ gy, inputs: [x], output, attrs }) {
    const rule = unaryRules[attrs.kind];
    return [rule ? rule(gy, x as Tensor, output, attrs) : null];
  },
};

type BinaryRule = (gy: Tensor, a: Tensor, b: Tensor, y: Tensor) => [Tensor, Tensor];

/** Equal operands share the gradient evenly, as in PyTorch. */
function chosen(gy: Tensor, a: Tensor, b: Tensor, kind: 'gt' | 'lt'): [Tensor, Tensor] {
  const half = a.eq(b).mul(0.5);
  return [gy.mul(a.binary(kind, b).add(half)), gy.mul(b.binary(kind, a).add(half))];
}

const binaryRules: Partial<Record<BinaryKind, BinaryRule>> = {
  add: (gy) => [gy, gy],
  sub: (gy) => [gy, gy.neg()],
  mul: (gy, a, b) => [gy.mul(b), gy.mul(a)],
  div: (gy, _a, b, y) => [gy.div(b), gy.mul(y).div(b).neg()],
  // To the power of 0 the slope is 0, at a = 0 too: there a^0 stands for a^-1.
  pow: (gy, a, b, y) => [gy.mul(b).mul(a.pow(b.sub(b.ne(0)))), slope('mulLog', gy, a).mul(y)],
  maximum: (gy, a, b) => chosen(gy, a, b, 'gt'),
  minimum: (gy, a, b) => chosen(gy, a, b, 'lt'),
};

const slopeRules: Partial<Record<SlopeKind, BinaryRule>> = {
  bce: (gy, p, t) => [gy.mul(slope('bceGrad', p, t)), gy.mul(slope('bceGradTarget', p, t))],
  bceLogits: (gy, x, t) => [gy.mul(slope('bceLogitsGrad', x, t)), gy.mul(x).neg()],
  // First-order training needs the gradient of a gradient only for its first operand, in which these are linear.
  sigmoidGrad: (gy, g, y) => [slope('sigmoidGrad', gy, y), gy.mul(g).mul(y.mul(-2).add(1))],
  tanhGrad: (gy, g, y) => [slope('tanhGrad', gy, y), gy.mul(g).mul(y).mul(-2)],
};

function binaryRule(rule: BinaryRule | undefined, { gy, inputs, output }: GradInput<unknown>) {
  const [a, b] = inputs as [Tensor, Tensor];
  if (!rule) return [null, null];
  const [ga, gb] = rule(gy, a, b, output);
  // A gradient has its operand's type, though the other operand may have made the result another.
  const like = (g: Tensor, x: Tensor) => sumTo(g, x.shape).to(x.dtype === 'f16' ? 'f16' : 'f32');
  return [like(ga, a), like(gb, b)];
}

export const binaryGradient: Gradient<BinaryAttrs> = {
  of: binaryOp,
  rule: (g) => binaryRule(binaryRules[g.attrs.kind], g),
};

export const slopeGradient: Gradient<SlopeAttrs> = {
  of: slopeOp,
  rule: (g) => binaryRule(slopeRules[g.attrs.kind], g),
};
