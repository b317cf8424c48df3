import type { BinaryName } from '../../reference/binary.js';
import type { UnaryName } from '../../reference/unary.js';
import { type InputSpec, type OpCase, of, opCase } from '../case.js';

type Values = Partial<Omit<InputSpec, 'shape'>>;

/** Where each function is tried: away from its kinks and poles. */
const domains: Record<UnaryName, Values> = {
  neg: {},
  abs: { kind: 'signed', low: 0.05, high: 2 },
  sign: { kind: 'signed', low: 0.05, high: 2 },
  exp: { low: -4, high: 4 },
  log: { low: 0.1, high: 5 },
  sqrt: { low: 0.1, high: 5 },
  square: { low: -2, high: 2 },
  reciprocal: { kind: 'signed', low: 0.3, high: 3 },
  sin: { low: -3, high: 3 },
  cos: { low: -3, high: 3 },
  tanh: { low: -3, high: 3 },
  sigmoid: { low: -6, high: 6 },
  relu: { kind: 'signed', low: 0.05, high: 2 },
  leakyRelu: { kind: 'signed', low: 0.05, high: 2 },
  softplus: { low: -6, high: 6 },
  silu: { low: -6, high: 6 },
  floor: { low: -9, high: 9 },
  ceil: { low: -9, high: 9 },
  round: { low: -9, high: 9 },
  clamp: { low: -2, high: 2 },
  powScalar: { low: 0.2, high: 3 },
  addScalar: {},
  mulScalar: {},
};

const parameters: Partial<Record<UnaryName, { a?: number; b?: number }>> = {
  leakyRelu: { a: 0.1 },
  clamp: { a: -0.7, b: 1.1 },
  powScalar: { a: 2.5 },
  addScalar: { a: 0.75 },
  mulScalar: { a: -1.5 },
};

function unary(
  fn: UnaryName,
  name: string,
  shape: readonly number[],
  values: Values,
  ab = parameters[fn],
): OpCase<'unary'> {
  return opCase('unary', `${fn} ${name}`, [of(shape, values)], { fn, ...ab });
}

export const unaryCases: OpCase<'unary'>[] = [
  ...(Object.keys(domains) as UnaryName[]).map((fn) => unary(fn, 'on 2x3x5x7', [2, 3, 5, 7], domains[fn])),
  unary('exp', 'of a scalar', [], domains.exp),
  unary('tanh', 'of one element', [1], domains.tanh),
  unary('sigmoid', 'on six axes', [2, 1, 3, 2, 1, 5], domains.sigmoid),
  unary('relu', 'on 65 elements', [65], domains.relu),
  // At the kink itself PyTorch's choice is the right one: relu, abs and sign give 0, leakyRelu its slope.
  unary('relu', 'with zeros', [41], { kind: 'whole', low: -1, high: 1 }),
  unary('abs', 'with zeros', [41], { kind: 'whole', low: -1, high: 1 }),
  unary('leakyRelu', 'with zeros', [41], { kind: 'whole', low: -1, high: 1 }),
  unary('clamp', 'at its bounds', [41], { kind: 'whole', low: -2, high: 2 }, { a: -1, b: 1 }),
  unary('sign', 'with zeros', [41], { kind: 'whole', low: -1, high: 1 }),
  // Far from zero naive formulas overflow.
  unary('sigmoid', 'far from zero', [64], { low: -80, high: 80 }),
  unary('tanh', 'far from zero', [64], { low: -80, high: 80 }),
  unary('softplus', 'far from zero', [64], { low: -80, high: 80 }),
  unary('silu', 'far from zero', [64], { low: -120, high: 120 }),
  unary('tanh', 'near zero', [64], { low: -0.001, high: 0.001 }),
  // Negative bases: pow of WGSL does not take them.
  unary('powScalar', 'squares of either sign', [40], { kind: 'signed', low: 0.2, high: 2 }, { a: 2 }),
  unary('powScalar', 'cubes of either sign', [40], { kind: 'signed', low: 0.2, high: 2 }, { a: 3 }),
  unary('powScalar', 'inverse of either sign', [40], { kind: 'signed', low: 0.4, high: 2 }, { a: -1 }),
  unary('powScalar', 'half power', [40], { low: 0.2, high: 2 }, { a: 0.5 }),
  unary(
    'powScalar',
    'power zero, zeros among the bases',
    [40],
    { kind: 'whole', low: -1, high: 1 },
    { a: 0 },
  ),
  unary('powScalar', 'power one, zeros among the bases', [40], { kind: 'whole', low: -1, high: 1 }, { a: 1 }),
  unary('powScalar', 'square, zeros among the bases', [40], { kind: 'whole', low: -1, high: 1 }, { a: 2 }),
  unary('round', 'halves to even', [40], { kind: 'whole', low: -9.5, high: 9.5 }),
];

const either: Values = { kind: 'signed', low: 0.3, high: 2 };
const ties: Values = { kind: 'whole', low: -1, high: 1 };

const second: Partial<Record<BinaryName, Values>> = { div: either };
const first: Partial<Record<BinaryName, Values>> = { pow: { low: 0.2, high: 2 } };

function binary(
  fn: BinaryName,
  name: string,
  a: readonly number[],
  b: readonly number[],
  va: Values = first[fn] ?? {},
  vb: Values = second[fn] ?? {},
): OpCase<'binary'> {
  return opCase('binary', `${fn} ${name}`, [of(a, va), of(b, vb)], { fn });
}

const arithmetic: readonly BinaryName[] = ['add', 'sub', 'mul', 'div', 'pow'];
const chosen: readonly BinaryName[] = ['maximum', 'minimum'];
const comparisons: readonly BinaryName[] = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'];

export const binaryCases: OpCase<'binary'>[] = [
  ...[...arithmetic, ...chosen].flatMap((fn) => [
    binary(fn, 'of one shape', [3, 5, 7], [3, 5, 7]),
    binary(fn, 'of a matrix and a row', [5, 7], [7]),
    binary(fn, 'of a column and a row', [6, 1], [1, 11]),
    binary(fn, 'of a scalar and a cube', [], [3, 2, 5]),
  ]),
  ...(['add', 'mul', 'div'] as const).flatMap((fn) => [
    binary(fn, 'of channels', [2, 5, 3, 4], [5, 1, 1]),
    binary(fn, 'both broadcast', [2, 1, 3, 1], [4, 1, 5]),
    binary(fn, 'of one element', [1], [1, 1]),
    binary(fn, 'on six axes', [2, 1, 2, 1, 3, 1], [1, 2, 1, 3, 1, 2]),
  ]),
  ...[...chosen, ...comparisons].map((fn) => binary(fn, 'with ties', [6, 7], [6, 7], ties, ties)),
  ...comparisons.map((fn) => binary(fn, 'broadcast', [4, 1, 5], [3, 1], ties, ties)),
  binary('pow', 'whole exponents of either sign', [60], [60], either, {
    kind: 'whole',
    low: -3,
    high: 3,
    gradient: false,
  }),
];

/** More workgroups than one grid axis holds, and sizes that are no multiple of anything. */
export const largeElementwiseCases: (OpCase<'unary'> | OpCase<'binary'>)[] = [
  unary('square', 'of 4,500,001 elements', [4_500_001], domains.square),
  binary('mul', 'of 1021 x 1031 and a row', [1021, 1031], [1031]),
  binary('add', 'of 1021 x 1031 and a column', [1021, 1031], [1021, 1]),
];
