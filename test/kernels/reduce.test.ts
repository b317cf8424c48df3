import { describe, expect, it } from 'vitest';
import { contiguousStrides, type Layout } from '../../src/engine/kernel.js';
import { reduceMax, reduceSum } from '../../src/engine/kernels/reduce.js';
import { array64 } from '../reference/array.js';
import { amax, sum } from '../reference/reduce.js';
import { FORMS, KernelRun, numbers, relativeError } from '../support/kernelRun.js';

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly layout?: Layout;
  readonly to?: Layout;
}

const cases: Case[] = [
  { name: 'everything, in fours', shape: [4, 3, 16, 16], axes: [0, 1, 2, 3] },
  { name: 'everything, odd', shape: [3, 7, 5], axes: [0, 1, 2] },
  { name: 'a scalar', shape: [], axes: [] },
  { name: 'one element', shape: [1, 1], axes: [0, 1] },
  { name: 'per channel', shape: [4, 16, 12, 12], axes: [0, 2, 3] },
  { name: 'per channel, odd planes', shape: [3, 5, 7, 9], axes: [0, 2, 3] },
  {
    name: 'per channel of half a concat',
    shape: [2, 3, 4, 8],
    axes: [0, 2, 3],
    layout: { offset: 96, strides: [200, 32, 8, 1] },
  },
  { name: 'leading axes, in fours', shape: [9, 7, 32], axes: [0, 1] },
  { name: 'leading axis, odd', shape: [11, 33], axes: [0] },
  { name: 'a long leading axis of few columns', shape: [5000, 3], axes: [0] },
  { name: 'a long leading axis of four columns', shape: [5000, 4], axes: [0] },
  { name: 'the last axis, short rows', shape: [100, 3], axes: [1] },
  { name: 'the last axis, rows of eight', shape: [50, 8], axes: [1] },
  { name: 'a middle axis', shape: [5, 6, 7], axes: [1] },
  { name: 'a middle axis, in fours', shape: [5, 6, 8], axes: [1] },
  { name: 'outer and inner axes', shape: [3, 4, 5, 6], axes: [0, 3] },
  { name: 'every other axis of six', shape: [2, 3, 4, 2, 3, 5], axes: [0, 2, 4] },
  { name: 'the other axes of six', shape: [2, 3, 4, 2, 3, 5], axes: [1, 3, 5] },
  { name: 'no axis', shape: [4, 5], axes: [] },
  { name: 'axes of size one', shape: [1, 5, 1], axes: [0, 2] },
  { name: 'a transposed operand', shape: [12, 9], axes: [1], layout: { offset: 2, strides: [1, 12] } },
  {
    name: 'a transposed operand, other axis',
    shape: [12, 9],
    axes: [0],
    layout: { offset: 0, strides: [1, 12] },
  },
  {
    name: 'an operand that repeats',
    shape: [5, 4, 4],
    axes: [0, 1, 2],
    layout: { offset: 0, strides: [0, 4, 1] },
  },
  { name: 'a strided result', shape: [6, 4, 40], axes: [2], to: { offset: 3, strides: [1, 7] } },
  {
    name: 'a strided result of long rows',
    shape: [2, 2, 9000],
    axes: [2],
    to: { offset: 1, strides: [3, 7] },
  },
  { name: 'a strided result of columns', shape: [5, 4, 8], axes: [0], to: { offset: 4, strides: [16, 1] } },
  { name: 'an odd offset', shape: [8, 64], axes: [1], layout: { offset: 1, strides: [64, 1] } },
];

describe.each(FORMS.flatMap((form) => cases.map((c) => ({ ...c, form }))))('$name, as on a $form', ({
  form,
  shape,
  axes,
  layout,
  to,
}) => {
  const count = shape.reduce((a, b) => a * b, 1);
  const kept = shape.filter((_, axis) => !axes.includes(axis));

  async function run(values: Float64Array, kind: 'sum' | 'max', keepdim: boolean) {
    const k = await KernelRun.open(form);
    const x = k.put(values, shape, layout);
    const yShape = keepdim ? shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) : kept;
    const y = k.out(yShape, keepdim ? { offset: 0, strides: contiguousStrides(yShape) } : to);
    await k.run(
      kind === 'sum' ? reduceSum(x, y, { axes, scale: 0.5 }, k.ctx) : reduceMax(x, y, { axes }, k.ctx),
    );
    return { got: k.readAlone(y), held: k.read(x) };
  }

  it('sums', async () => {
    const { got, held } = await run(numbers(count, -1, 2), 'sum', false);
    const expected = sum.forward([array64(shape, held)], { axes }).data.map((v) => v / 2);
    expect(relativeError(got, expected)).toBeLessThan(1e-6);
  });

  it('sums, the reduced axes kept as one', async () => {
    const { got, held } = await run(numbers(count, -1, 2), 'sum', true);
    expect(
      relativeError(
        got,
        sum.forward([array64(shape, held)], { axes }).data.map((v) => v / 2),
      ),
    ).toBeLessThan(1e-6);
  });

  it('finds the maximum', async () => {
    const { got, held } = await run(numbers(count, -3, -1), 'max', false);
    expect([...got]).toEqual([...amax.forward([array64(shape, held)], { axes }).data]);
  });
});

describe.each(FORMS)('many terms, as on a %s', (form) => {
  it.each([
    ['in fours', 1 << 22, 0],
    ['odd', (1 << 21) + 1, 0],
    ['at an odd offset', 1 << 21, 3],
  ])('%s stay accurate', async (_, count, offset) => {
    const k = await KernelRun.open(form);
    // All of one sign: errors that always go one way would add up.
    const values = Float32Array.from({ length: count }, (_, i) => 0.1 + ((i * 7919) % 1000) / 1000);
    const y = k.out([]);
    const x = k.put(values, [count], { offset, strides: [1] });
    const launches = reduceSum(x, y, { axes: [0] }, k.ctx);
    expect(launches.length).toBeGreaterThan(1);
    await k.run(launches);
    let exact = 0;
    for (const v of values) exact += v;
    expect(Math.abs((k.read(y)[0] as number) / exact - 1)).toBeLessThan(1e-6);
  });

  it('stay accurate in columns', async () => {
    const k = await KernelRun.open(form);
    const [rows, columns] = [40000, 8];
    const values = Float32Array.from({ length: rows * columns }, (_, i) => 0.1 + ((i * 7919) % 1000) / 1000);
    const y = k.out([columns]);
    await k.run(reduceSum(k.put(values, [rows, columns]), y, { axes: [0] }, k.ctx));
    const exact = new Float64Array(columns);
    values.forEach((v, i) => {
      exact[i % columns] = (exact[i % columns] as number) + v;
    });
    expect(relativeError(k.read(y), exact)).toBeLessThan(1e-6);
  });

  it('give the same bits each time', async () => {
    const k = await KernelRun.open(form);
    const x = k.put(numbers(300_000), [300_000]);
    const results: number[] = [];
    for (let i = 0; i < 3; i++) {
      const y = k.out([]);
      await k.run(reduceSum(x, y, { axes: [0] }, k.ctx));
      results.push(k.read(y)[0] as number);
    }
    expect(new Set(results).size).toBe(1);
  });
});

describe.each(FORMS)('edges, as on a %s', (form) => {
  it.each([
    ['rows', [3, 70], [1]],
    ['columns', [70, 3], [0]],
  ] as const)('NaN and infinities go through %s', async (_, shape, axes) => {
    const k = await KernelRun.open(form);
    const values = numbers(210);
    const at = (output: number, i: number) => (shape[0] === 3 ? output * 70 + i : i * 3 + output);
    values[at(0, 33)] = Number.NaN;
    values[at(1, 5)] = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 70; i++) values[at(2, i)] = Number.NEGATIVE_INFINITY;
    const x = k.put(values, shape);
    const [most, total] = [k.out([3]), k.out([3])];
    await k.run([...reduceMax(x, most, { axes }, k.ctx), ...reduceSum(x, total, { axes }, k.ctx)]);
    expect([...k.read(most)]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect([...k.read(total)]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  });

  it('the sum of nothing is 0, its maximum an error', async () => {
    const k = await KernelRun.open(form);
    const y = k.out([2]);
    await k.run(reduceSum(k.out([2, 0]), y, { axes: [1] }, k.ctx));
    expect([...k.readAlone(y)]).toEqual([0, 0]);
    expect(() => reduceMax(k.out([2, 0]), y, { axes: [1] }, k.ctx)).toThrow('nothing to take the maximum of');
  });

  it('refuses a result of another rank', async () => {
    const k = await KernelRun.open(form);
    expect(() => reduceSum(k.out([2, 3, 4]), k.out([2, 3]), { axes: [0, 1] }, k.ctx)).toThrow(
      'cannot have shape [2,3]',
    );
  });
});
