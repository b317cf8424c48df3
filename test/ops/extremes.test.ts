import { describe, expect, it } from 'vitest';
import { amax, evaluate, grad, maxPool2d, sum, type Tensor, tensor } from '../../src/engine/index.js';
import { testDevice } from '../support/device.js';

const [NAN, INF] = [Number.NaN, Number.POSITIVE_INFINITY];

async function valuesOf(...tensors: Tensor[]): Promise<number[][]> {
  const values = await evaluate(await testDevice(), tensors);
  // Adding 0 makes one zero of both.
  return values.map(({ data }) => [...data].map((v) => v + 0));
}

/** What PyTorch gives for each function at these inputs. A NaN must go on: it is how a training that broke is noticed. */
const inputs = [NAN, INF, -INF, 0, 3e38, -2.5];

const expected: Record<string, { of: (x: Tensor) => Tensor; value: number[]; gradient?: number[] }> = {
  neg: { of: (x) => x.neg(), value: [NAN, -INF, INF, 0, -3e38, 2.5] },
  abs: { of: (x) => x.abs(), value: [NAN, INF, INF, 0, 3e38, 2.5], gradient: [0, 1, -1, 0, 1, -1] },
  exp: {
    of: (x) => x.exp(),
    value: [NAN, INF, 0, 1, INF, 0.082085],
    gradient: [NAN, INF, 0, 1, INF, 0.082085],
  },
  log: { of: (x) => x.log(), value: [NAN, INF, NAN, -INF, 88.59667, NAN] },
  sqrt: { of: (x) => x.sqrt(), value: [NAN, INF, NAN, 0, 1.7320508e19, NAN] },
  square: {
    of: (x) => x.square(),
    value: [NAN, INF, INF, 0, INF, 6.25],
    gradient: [NAN, INF, -INF, 0, INF, -5],
  },
  tanh: {
    of: (x) => x.tanh(),
    value: [NAN, 1, -1, 0, 1, -0.9866143],
    gradient: [NAN, 0, 0, 1, 0, 0.0265922],
  },
  sigmoid: {
    of: (x) => x.sigmoid(),
    value: [NAN, 1, 0, 0.5, 1, 0.0758582],
    gradient: [NAN, 0, 0, 0.25, 0, 0.0701037],
  },
  relu: { of: (x) => x.relu(), value: [NAN, INF, 0, 0, 3e38, 0], gradient: [1, 1, 0, 0, 1, 0] },
  leakyRelu: { of: (x) => x.leakyRelu(0.1), value: [NAN, INF, -INF, 0, 3e38, -0.25] },
  softplus: {
    of: (x) => x.softplus(),
    value: [NAN, INF, 0, Math.LN2, 3e38, 0.0788897],
    gradient: [NAN, 1, 0, 0.5, 1, 0.0758582],
  },
  floor: { of: (x) => x.floor(), value: [NAN, INF, -INF, 0, 3e38, -3] },
  clamp: { of: (x) => x.clamp(-1, 1), value: [NAN, 1, -1, 0, 1, -1] },
  'maximum of 0': { of: (x) => x.maximum(0), value: [NAN, INF, 0, 0, 3e38, 0] },
  'minimum of 0': { of: (x) => x.minimum(0), value: [NAN, 0, -INF, 0, 0, -2.5] },
  'pow 2': { of: (x) => x.pow(2), value: [NAN, INF, INF, 0, INF, 6.25] },
  'pow 0': { of: (x) => x.pow(0), value: [1, 1, 1, 1, 1, 1], gradient: [0, 0, 0, 0, 0, 0] },
  'pow of a tensor of 0': {
    of: (x) => x.pow(tensor([0, 0, 0, 0, 0, 0])),
    value: [1, 1, 1, 1, 1, 1],
    gradient: [0, 0, 0, 0, 0, 0],
  },
  'add infinity': {
    of: (x) => x.add(INF),
    value: [NAN, INF, NAN, INF, INF, INF],
    gradient: [1, 1, 1, 1, 1, 1],
  },
  'mul by NaN': { of: (x) => x.mul(NAN), value: [NAN, NAN, NAN, NAN, NAN, NAN] },
  'div by 0': { of: (x) => x.div(0), value: [NAN, INF, -INF, NAN, INF, -INF] },
  'gt 0': { of: (x) => x.gt(0), value: [0, 1, 0, 0, 1, 0] },
  'eq itself': { of: (x) => x.eq(x), value: [0, 1, 1, 1, 1, 1] },
  'ne itself': { of: (x) => x.ne(x), value: [1, 0, 0, 0, 0, 0] },
  amax: { of: (x) => amax(x), value: [NAN] },
  sum: { of: (x) => sum(x), value: [NAN] },
};

function expectSame(actual: readonly number[] | undefined, wanted: readonly number[], what: string): void {
  expect(actual?.length, what).toBe(wanted.length);
  wanted.forEach((want, i) => {
    const got = actual?.[i] ?? Number.POSITIVE_INFINITY;
    const same = Object.is(got, want) || Math.abs(got - want) <= 1e-5 * Math.abs(want);
    expect(same, `${what} of ${inputs[i]}: ${got}, not ${want}`).toBe(true);
  });
}

describe('NaN, infinities and the largest numbers go through as in PyTorch', () => {
  for (const [name, { of, value, gradient }] of Object.entries(expected)) {
    it(name, async () => {
      const x = tensor(inputs);
      const y = of(x);
      const [got, slope] = await valuesOf(y, ...(gradient ? grad(sum(y), [x]) : []));
      expectSame(got, value, name);
      if (gradient) expectSame(slope, gradient, `gradient of ${name}`);
    });
  }

  it('maxPool2d: NaN wins, and a window of -infinity gives its first element the gradient', async () => {
    const x = tensor([1, NAN, 3, 4, -INF, -INF, -INF, -INF], [2, 1, 2, 2]);
    const y = maxPool2d(x, 2);
    const [value, slope] = await valuesOf(y, ...grad(sum(y), [x]));
    expect(value).toEqual([NAN, -INF]);
    expect(slope).toEqual([0, 1, 0, 0, 1, 0, 0, 0]);
  });

  it('maxPool2d with overlapping windows and padding', async () => {
    const x = tensor([1, NAN, 3, 4, -INF, -INF, -INF, -INF, 5], [1, 1, 3, 3]);
    const y = maxPool2d(x, 3, { stride: 2, padding: 1 });
    const [value, slope] = await valuesOf(y, ...grad(sum(y), [x]));
    expect(value).toEqual([NAN, NAN, 4, 5]);
    expect(slope).toEqual([0, 2, 0, 1, 0, 0, 0, 0, 1]);
  });
});
