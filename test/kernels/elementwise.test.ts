import { describe, expect, it } from 'vitest';
import type { Layout, Operand } from '../../src/engine/kernel.js';
import {
  type BinaryOp,
  binary,
  fill,
  type UnaryOp,
  unary,
  where,
} from '../../src/engine/kernels/elementwise.js';
import { type SlopeKind, slopes } from '../../src/engine/kernels/slopes.js';
import { FORMS, KernelRun, numbers, places, relativeError } from '../support/kernelRun.js';

const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const halfEven = (x: number) => {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
};

interface UnaryCase {
  readonly f: (x: number) => number;
  readonly low?: number;
  readonly high?: number;
  readonly a?: number;
  readonly b?: number;
  /** Beyond the range: where others go wrong. */
  readonly edge?: readonly number[];
  readonly tolerance?: number;
}

const big = [-1e30, -100, -20, -0.2, -1e-4, -1e-20, 0, 1e-20, 1e-4, 0.2, 20, 100, 1e30];
const nonfinite = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

const unaryCases: Record<Exclude<UnaryOp, 'powScalar'>, UnaryCase> = {
  copy: { f: (x) => x, edge: [...big, ...nonfinite] },
  neg: { f: (x) => -x, edge: [...big, ...nonfinite] },
  abs: { f: Math.abs, edge: [...big, ...nonfinite] },
  sign: { f: Math.sign, edge: big },
  exp: { f: Math.exp, low: -10, high: 10, edge: [-100, 0, 88] },
  log: {
    f: Math.log,
    low: 0.01,
    high: 20,
    edge: [1e-20, 0.999, 0.9999, 1, 1.0001, 1.001, 1e30, 0, -1, ...nonfinite],
  },
  sqrt: { f: Math.sqrt, low: 0, high: 20, edge: [0, 1e-20, 1e20] },
  square: { f: (x) => x * x, edge: [-1e15, 0, 1e15] },
  reciprocal: { f: (x) => 1 / x, low: 0.1, high: 3, edge: [-0.01, -1e10, 1e-10] },
  sin: { f: Math.sin, low: -20, high: 20, edge: [0, 1e-5, -1e-5, 100, -1000, Math.PI, Math.PI / 2] },
  cos: { f: Math.cos, low: -20, high: 20, edge: [0, 1e-5, 100, -1000, Math.PI, Math.PI / 2] },
  tanh: {
    f: Math.tanh,
    low: -4,
    high: 4,
    edge: [...big, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  },
  sigmoid: { f: sigmoid, low: -8, high: 8, edge: [...big, ...nonfinite] },
  relu: { f: (x) => (x > 0 || Number.isNaN(x) ? x : 0), edge: [...big, ...nonfinite] },
  leakyRelu: { f: (x) => (x > 0 ? x : 0.1 * x), a: 0.1, edge: big },
  softplus: { f: softplus, low: -20, high: 20, edge: [-1e30, -80, -15, 0, 15, 80, 1e30] },
  silu: { f: (x) => x * sigmoid(x), low: -10, high: 10, edge: big },
  floor: { f: Math.floor, low: -5, high: 5, edge: [-1e30, -0.5, 0, 1e30, ...nonfinite] },
  ceil: { f: Math.ceil, low: -5, high: 5, edge: [-1e30, -0.5, 0, 1e30, ...nonfinite] },
  round: { f: halfEven, low: -5, high: 5, edge: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 1e30] },
  clamp: { f: (x) => Math.min(Math.max(x, -0.3), 0.4), a: -0.3, b: 0.4, edge: [...big, ...nonfinite] },
  heaviside: { f: (x) => Number(x > 0), edge: [...big, ...nonfinite] },
  addScalar: { f: (x) => x + 1.5, a: 1.5, edge: nonfinite },
  mulScalar: { f: (x) => x * -2.5, a: -2.5, edge: nonfinite },
  isfinite: { f: (x) => Number(Number.isFinite(x)), edge: [...big, ...nonfinite] },
  rsqrt: { f: (x) => 1 / Math.sqrt(x), low: 0.1, high: 20 },
};

/** Each element on its own: relative where it is large, absolute below `floor`. */
function worst(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-30): number {
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, Math.fround(expected[i] as number)];
    if (!Number.isFinite(e)) {
      if (!Object.is(a, e)) return Number.POSITIVE_INFINITY;
    } else error = Math.max(error, Math.abs(a - e) / Math.max(Math.abs(e), floor));
    if (Number.isNaN(a) !== Number.isNaN(e)) return Number.POSITIVE_INFINITY;
  }
  return error;
}

describe('unary', () => {
  for (const [op, c] of Object.entries(unaryCases) as [UnaryOp, UnaryCase][]) {
    it(`${op} agrees with float64`, async () => {
      const k = await KernelRun.open();
      const values = [...numbers(1001, c.low ?? -3, c.high ?? 3), ...(c.edge ?? []).map(Math.fround)];
      while (values.length % 4 !== 0) values.push(1);
      const params = { ...(c.a === undefined ? {} : { a: c.a }), ...(c.b === undefined ? {} : { b: c.b }) };
      const x = k.put(values, [values.length]);
      const y = k.out([values.length]);
      // One element short of a multiple of four takes the other form.
      const x1 = k.put(values.slice(1), [values.length - 1]);
      const y1 = k.out([values.length - 1]);
      await k.run([...unary(op, x, y, params), ...unary(op, x1, y1, params)]);
      const expected = values.map(c.f);
      const floor = op === 'sin' || op === 'cos' ? 1e-1 : 1e-30;
      expect(worst(k.readAlone(y), expected, floor)).toBeLessThan(c.tolerance ?? 5e-6);
      expect(worst(k.readAlone(y1), expected.slice(1), floor)).toBeLessThan(c.tolerance ?? 5e-6);
    });
  }

  it.each([0, 1, 2, 3, -1, -2, 0.5, 1.7, -0.3, 7])('powScalar %d', async (a) => {
    const k = await KernelRun.open();
    const values = [...numbers(200, -3, 3), 0, 0, 0, 0];
    const x = k.put(values, [204]);
    const y = k.out([204]);
    await k.run(unary('powScalar', x, y, { a }));
    expect(
      worst(
        k.read(y),
        values.map((v) => v ** a),
      ),
    ).toBeLessThan(1e-5);
  });

  it('clamps at one side only where the other bound is infinite', async () => {
    const k = await KernelRun.open();
    const x = k.put([-5, 0, 5, Number.POSITIVE_INFINITY], [4]);
    const [low, high] = [k.out([4]), k.out([4])];
    await k.run([
      ...unary('clamp', x, low, { a: -1, b: Number.POSITIVE_INFINITY }),
      ...unary('clamp', x, high, { a: Number.NEGATIVE_INFINITY, b: 1 }),
    ]);
    expect([...k.read(low)]).toEqual([-1, 0, 5, Number.POSITIVE_INFINITY]);
    expect([...k.read(high)]).toEqual([-5, 0, 1, 1]);
  });

  it('refuses a parameter that is not finite', async () => {
    const k = await KernelRun.open();
    expect(() => unary('mulScalar', k.out([1]), k.out([1]), { a: Number.NaN })).toThrow(/finite/);
  });
});

const layouts: [string, number[], Layout, Layout][] = [
  ['transposed', [5, 7], { offset: 3, strides: [1, 5] }, { offset: 0, strides: [7, 1] }],
  [
    'half of a concat, in fours',
    [3, 8, 4],
    { offset: 16, strides: [64, 4, 1] },
    { offset: 32, strides: [100, 4, 1] },
  ],
  ['an odd offset', [3, 8, 4], { offset: 1, strides: [32, 4, 1] }, { offset: 0, strides: [32, 4, 1] }],
  ['every other column', [4, 8], { offset: 0, strides: [16, 2] }, { offset: 0, strides: [8, 1] }],
  [
    'six axes',
    [2, 3, 2, 2, 3, 2],
    { offset: 5, strides: [1, 2, 6, 12, 24, 72] },
    { offset: 0, strides: [80, 24, 12, 6, 2, 1] },
  ],
  ['a repeated axis', [3, 4, 4], { offset: 0, strides: [0, 4, 1] }, { offset: 0, strides: [16, 4, 1] }],
  ['a repeated last axis', [3, 8], { offset: 0, strides: [1, 0] }, { offset: 0, strides: [8, 1] }],
  ['a scalar', [], { offset: 3, strides: [] }, { offset: 0, strides: [] }],
];

describe('layouts', () => {
  describe.each(FORMS)('as on a %s', (form) => {
    it.each(layouts)('unary on %s', async (_, shape, from, to) => {
      const k = await KernelRun.open(form);
      const count = shape.reduce((a, b) => a * b, 1);
      const x = k.put(numbers(count), shape, from);
      const y = k.out(shape, to);
      const same = k.out(shape, to);
      await k.run([...unary('mulScalar', x, y, { a: 2 }, k.ctx), ...unary('copy', x, same, {}, k.ctx)]);
      const doubled = Array.from(k.readAlone(same), (v) => 2 * v);
      expect([...k.readAlone(y)]).toEqual(doubled);
      // The copy itself against the values put in; repeated places hold what was written last.
      const held = new Map<number, number>();
      places(x).forEach((at, i) => {
        held.set(at, numbers(count)[i] as number);
      });
      expect([...k.read(same)]).toEqual(places(x).map((at) => held.get(at)));
    });
  });

  it('spreads over both dimensions of the grid', async () => {
    const k = await KernelRun.open();
    const count = 65536 * 64 * 1 + 129;
    const x = k.put(
      new Float32Array(count).fill(1).map((_, i) => i % 1000),
      [count],
    );
    const y = k.out([count]);
    const launches = unary('addScalar', x, y, { a: 1 });
    expect(launches[0]?.workgroups[1]).toBeGreaterThan(1);
    await k.run(launches);
    const got = k.read(y);
    expect(got.findIndex((v, i) => v !== (i % 1000) + 1)).toBe(-1);
  });

  it('makes no launch for no elements', async () => {
    const k = await KernelRun.open();
    expect(unary('neg', k.out([0, 3]), k.out([0, 3]))).toEqual([]);
  });
});

const bceOf = (p: number, t: number) =>
  (t - 1) * Math.max(Math.log(1 - p), -100) - t * Math.max(Math.log(p), -100);

interface BinaryCase {
  readonly f: (a: number, b: number) => number;
  readonly a?: readonly [number, number];
  readonly b?: readonly [number, number];
  readonly edge?: readonly (readonly [number, number])[];
  /** Size below which an error counts as absolute: where the exact value cancels. */
  readonly floor?: number;
}

const nanPairs = [
  [Number.NaN, 1],
  [1, Number.NaN],
  [Number.POSITIVE_INFINITY, 1],
  [1, Number.NEGATIVE_INFINITY],
] as const;

const plainCases: Record<BinaryOp, BinaryCase> = {
  add: { f: (a, b) => a + b, floor: 1 },
  sub: { f: (a, b) => a - b, floor: 1 },
  mul: { f: (a, b) => a * b },
  div: { f: (a, b) => a / b, b: [0.3, 3] },
  pow: {
    f: (a, b) => a ** b,
    a: [0.1, 5],
    b: [-3, 3],
    edge: [
      [-2, 3],
      [-2, 2],
      [-2, -1],
      [-2, 0.5],
      [0, 0],
      [0, 2],
      [0, 0.5],
      [1, 100],
      [-1, 7],
      [-1, 8],
      [-3, 0],
    ],
  },
  maximum: { f: Math.max, edge: nanPairs },
  minimum: { f: Math.min, edge: nanPairs },
  gt: { f: (a, b) => Number(a > b), edge: [[1, 1]] },
  ge: { f: (a, b) => Number(a >= b), edge: [[1, 1]] },
  lt: { f: (a, b) => Number(a < b), edge: [[1, 1]] },
  le: { f: (a, b) => Number(a <= b), edge: [[1, 1]] },
  eq: { f: (a, b) => Number(a === b), edge: [[1, 1]] },
  ne: { f: (a, b) => Number(a !== b), edge: [[1, 1]] },
};

/** The factor of `reluGrad`. */
const FACTOR = 2.5;

const slopeCases: Record<SlopeKind, BinaryCase> = {
  reluGrad: { f: (g, y) => (y > 0 ? FACTOR * g : 0), edge: [[1, 0]] },
  sigmoidGrad: {
    f: (g, y) => g * y * (1 - y),
    b: [0, 1],
    edge: [
      [1, 0],
      [1, 1],
    ],
  },
  tanhGrad: { f: (g, y) => g * (1 - y * y), b: [-1, 1], floor: 1e-2 },
  mulLog: { f: (g, x) => (x === 0 ? 0 : g * Math.log(x)), b: [0.1, 5], edge: [[2, 0]], floor: 1e-1 },
  bce: {
    f: bceOf,
    a: [0.001, 0.999],
    b: [0, 1],
    edge: [
      [0, 1],
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 0.9999],
      [0, 0.5],
      [1e-30, 1],
      [1e-37, 1],
    ],
    floor: 1e-2,
  },
  bceGrad: {
    f: (p, t) => (p - t) / Math.max(p * (1 - p), 1e-12),
    a: [0.01, 0.99],
    b: [0, 1],
    edge: [
      [0, 1],
      [1, 0],
      [0, 0],
      [1, 1],
    ],
    floor: 1,
  },
  bceGradTarget: {
    f: (p) => Math.max(Math.log(1 - p), -100) - Math.max(Math.log(p), -100),
    a: [0.01, 0.99],
    edge: [
      [0, 1],
      [1, 0],
    ],
    floor: 1,
  },
  bceLogits: {
    f: (x, t) => softplus(x) - x * t,
    a: [-20, 20],
    b: [0, 1],
    edge: [
      [1000, 0],
      [-1000, 1],
      [1000, 1],
      [0, 0.5],
    ],
    floor: 1e-1,
  },
  bceLogitsGrad: {
    f: (x, t) => sigmoid(x) - t,
    a: [-20, 20],
    b: [0, 1],
    edge: [
      [100, 1],
      [-100, 0],
    ],
    floor: 1,
  },
};

describe('binary', () => {
  const all = [
    ...(Object.keys(plainCases) as BinaryOp[]).map((op) => {
      const launches = (...io: [Operand, Operand, Operand]) => binary(op, ...io);
      return { op, launches, c: plainCases[op] };
    }),
    ...(Object.keys(slopeCases) as SlopeKind[]).map((op) => {
      const launches = (...io: [Operand, Operand, Operand]) => slopes(op, ...io, FACTOR);
      return { op, launches, c: slopeCases[op] };
    }),
  ];
  for (const { op, launches, c } of all) {
    it(`${op} agrees with float64`, async () => {
      const k = await KernelRun.open();
      const edge = c.edge ?? [];
      const count = 1024 + edge.length;
      const a = [...numbers(1024, ...(c.a ?? ([-3, 3] as const)), 5), ...edge.map(([v]) => Math.fround(v))];
      const b = [...numbers(1024, ...(c.b ?? ([-3, 3] as const)), 9), ...edge.map(([, v]) => Math.fround(v))];
      const padded = Math.ceil(count / 4) * 4;
      while (a.length < padded) {
        a.push(0.5);
        b.push(0.5);
      }
      const y4 = k.out([padded]);
      const y1 = k.out([padded - 1]);
      await k.run([
        ...launches(k.put(a, [padded]), k.put(b, [padded]), y4),
        ...launches(k.put(a.slice(1), [padded - 1]), k.put(b.slice(1), [padded - 1]), y1),
      ]);
      const expected = a.map((v, i) => c.f(v, b[i] as number));
      expect(worst(k.readAlone(y4), expected, c.floor)).toBeLessThan(1e-5);
      expect(worst(k.readAlone(y1), expected.slice(1), c.floor)).toBeLessThan(1e-5);
    });
  }

  const broadcasts: [string, number[], number[], number[]][] = [
    ['a bias', [2, 3, 4, 4], [3, 1, 1], [2, 3, 4, 4]],
    ['a bias of odd planes', [2, 3, 5, 3], [3, 1, 1], [2, 3, 5, 3]],
    ['a scalar on the left', [], [3, 8], [3, 8]],
    ['a row', [5, 8], [8], [5, 8]],
    ['a column', [5, 1], [5, 8], [5, 8]],
    ['an outer product', [5, 1], [1, 8], [5, 8]],
    ['two scalars', [1], [], [4, 4]],
    ['six axes', [2, 1, 3, 1, 2, 1], [1, 2, 1, 3, 1, 4], [2, 2, 3, 3, 2, 4]],
  ];
  describe.each(FORMS)('as on a %s', (form) => {
    it.each(broadcasts)('broadcasts %s', async (_, aShape, bShape, shape) => {
      const k = await KernelRun.open(form);
      const size = (s: readonly number[]) => s.reduce((n, v) => n * v, 1);
      const [a, b] = [numbers(size(aShape), -1, 1, 3), numbers(size(bShape), -1, 1, 4)];
      const y = k.out(shape);
      await k.run(binary('sub', k.put(a, aShape), k.put(b, bShape), y, k.ctx));
      const index = (s: readonly number[], i: number) => {
        let [rest, at, step] = [i, 0, 1];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const c = rest % (shape[axis] as number);
          rest = Math.floor(rest / (shape[axis] as number));
          const n = s[axis - shape.length + s.length] ?? 1;
          if (n !== 1) at += c * step;
          step *= n;
        }
        return at;
      };
      const expected = Array.from({ length: size(shape) }, (_, i) =>
        Math.fround((a[index(aShape, i)] as number) - (b[index(bShape, i)] as number)),
      );
      expect([...k.readAlone(y)]).toEqual(expected);
    });
  });

  it('refuses shapes that do not broadcast', async () => {
    const k = await KernelRun.open();
    expect(() => binary('add', k.out([3]), k.out([4]), k.out([4]))).toThrow('add: an operand of shape [3]');
  });
});

describe('where and fill', () => {
  it.each([[[16]], [[15]], [[3, 8]]])('where %j', async (shape) => {
    for (const form of FORMS) {
      const k = await KernelRun.open(form);
      const n = shape.reduce((a, b) => a * b, 1);
      const c = numbers(n).map((v, i) => (i % 5 === 0 ? Number.NaN : v > 0 ? 1 : 0));
      const y = k.out(shape);
      await k.run(where(k.put(c, shape), k.put(numbers(n, 1, 2), shape), k.put([-7], []), y, k.ctx));
      const ones = numbers(n, 1, 2);
      expect([...k.readAlone(y)]).toEqual(Array.from(c, (v, i) => (v === 0 ? -7 : ones[i])));
    }
  });

  it.each([
    0,
    -1.5,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ])('fills with %d', async (value) => {
    const k = await KernelRun.open();
    const flat = k.out([12]);
    const part = k.out([3, 5], { offset: 2, strides: [7, 1] });
    await k.run([...fill(value, flat, k.ctx), ...fill(value, part, k.ctx)]);
    expect([...k.readAlone(flat)]).toEqual(new Array(12).fill(value));
    expect([...k.readAlone(part)]).toEqual(new Array(15).fill(value));
  });
});

it('lengths that fill their grid share a pipeline, and each is worked through to its end', async () => {
  const k = await KernelRun.open();
  const launches = [1024, 65_536, 1023, 1028].map((n) => {
    const y = k.out([n]);
    return { n, y, all: binary('add', k.put(numbers(n), [n]), k.put([3], []), y, k.ctx) };
  });
  await k.run(launches.flatMap(({ all }) => all));
  for (const { n, y } of launches) {
    const expected = numbers(n).map((v) => v + 3);
    expect(relativeError(k.readAlone(y), expected)).toBeLessThan(1e-6);
  }
  const [first, second, ...rest] = launches.map(({ all }) => JSON.stringify(all[0]?.constants));
  expect(first).toBe(second);
  expect(new Set([first, ...rest]).size).toBe(3);
});

it('relativeError sees a difference', () => {
  expect(relativeError([1, 2.1], [1, 2])).toBeGreaterThan(0.01);
});
