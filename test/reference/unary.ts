import { at, map } from './array.js';
import { input, type ReferenceOp } from './op.js';

/** A function of one number and its derivative there; `a` and `b` are its parameters (slope, bounds, exponent). */
interface Unary {
  readonly f: (x: number, a: number, b: number) => number;
  /** Absent where the function is flat almost everywhere and PyTorch's gradient is zero. */
  readonly d?: (x: number, a: number, b: number) => number;
}

export const sigmoid64 = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
export const softplus64 = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Half to even. */
function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

export const unaryFunctions = {
  neg: { f: (x) => -x, d: () => -1 },
  abs: { f: Math.abs, d: (x) => Math.sign(x) },
  sign: { f: (x) => Math.sign(x) },
  exp: { f: (x) => Math.exp(x), d: (x) => Math.exp(x) },
  log: { f: (x) => Math.log(x), d: (x) => 1 / x },
  sqrt: { f: (x) => Math.sqrt(x), d: (x) => 0.5 / Math.sqrt(x) },
  square: { f: (x) => x * x, d: (x) => 2 * x },
  reciprocal: { f: (x) => 1 / x, d: (x) => -1 / (x * x) },
  sin: { f: (x) => Math.sin(x), d: (x) => Math.cos(x) },
  cos: { f: (x) => Math.cos(x), d: (x) => -Math.sin(x) },
  tanh: { f: (x) => Math.tanh(x), d: (x) => 1 - Math.tanh(x) ** 2 },
  sigmoid: { f: sigmoid64, d: (x) => sigmoid64(x) * sigmoid64(-x) },
  relu: { f: (x) => Math.max(x, 0), d: (x) => (x > 0 ? 1 : 0) },
  leakyRelu: { f: (x, a) => (x > 0 ? x : a * x), d: (x, a) => (x > 0 ? 1 : a) },
  softplus: { f: softplus64, d: sigmoid64 },
  silu: {
    f: (x) => x * sigmoid64(x),
    d: (x) => sigmoid64(x) * (1 + x * sigmoid64(-x)),
  },
  floor: { f: (x) => Math.floor(x) },
  ceil: { f: (x) => Math.ceil(x) },
  round: { f: roundEven },
  clamp: { f: (x, a, b) => Math.min(Math.max(x, a), b), d: (x, a, b) => (x >= a && x <= b ? 1 : 0) },
  powScalar: { f: (x, a) => x ** a, d: (x, a) => (a === 0 ? 0 : a * x ** (a - 1)) },
  addScalar: { f: (x, a) => x + a, d: () => 1 },
  mulScalar: { f: (x, a) => x * a, d: (_x, a) => a },
} satisfies Record<string, Unary>;

export type UnaryName = keyof typeof unaryFunctions;

export interface UnaryOptions {
  readonly fn: UnaryName;
  readonly a?: number;
  readonly b?: number;
}

export const unary: ReferenceOp<UnaryOptions> = {
  forward(inputs, { fn, a = 0, b = 0 }) {
    const { f }: Unary = unaryFunctions[fn];
    return map(input(inputs, 0), (x) => f(x, a, b));
  },
  vjp(inputs, { fn, a = 0, b = 0 }, g) {
    const { d }: Unary = unaryFunctions[fn];
    return [map(input(inputs, 0), (x, i) => (d ? d(x, a, b) * at(g, i) : 0))];
  },
};
