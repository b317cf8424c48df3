import { describe, expect, it } from 'vitest';
import type { Layout, Operand } from '../../src/engine/kernel.js';
import { maxPool2d, maxPool2dGrad, type Pool2d } from '../../src/engine/kernels/pool.js';
import { array64 } from '../reference/array.js';
import { whole } from '../reference/generator.js';
import { maxPool2d as reference } from '../reference/pool.js';
import { FORMS, KernelRun, numbers } from '../support/kernelRun.js';

type Pair = readonly [number, number];

interface Case {
  readonly name: string;
  readonly shape: readonly [number, number, number, number];
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly ceilMode?: boolean;
  /** Which kernel is to be taken. */
  readonly fast?: boolean;
  readonly fastGrad?: boolean;
}

const cases: Case[] = [
  { name: '2x2', shape: [2, 3, 8, 12], kernel: [2, 2], fast: true, fastGrad: true },
  { name: '2x2, one pair', shape: [1, 1, 2, 4], kernel: [2, 2], fast: true, fastGrad: true },
  { name: '2x2, width not in fours', shape: [2, 3, 8, 6], kernel: [2, 2] },
  { name: '2x2, odd height', shape: [2, 2, 7, 8], kernel: [2, 2], fast: true },
  { name: '2x2, odd width', shape: [2, 2, 6, 7], kernel: [2, 2] },
  { name: '2x2, odd, ceil', shape: [2, 2, 5, 7], kernel: [2, 2], ceilMode: true },
  { name: '2x2 overlapping', shape: [1, 2, 6, 8], kernel: [2, 2], stride: [1, 1] },
  { name: '3x3 stride 2 padding 1', shape: [2, 2, 9, 11], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  {
    name: '3x3 stride 2 padding 1, ceil',
    shape: [1, 2, 8, 10],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
    ceilMode: true,
  },
  { name: '3x2 stride 1 by 3', shape: [1, 2, 8, 10], kernel: [3, 2], stride: [1, 3], padding: [1, 0] },
  {
    name: 'dilated',
    shape: [1, 2, 9, 11],
    kernel: [2, 3],
    stride: [2, 1],
    padding: [1, 1],
    dilation: [3, 2],
  },
  { name: 'gaps between windows', shape: [1, 1, 9, 9], kernel: [2, 2], stride: [3, 4] },
  { name: '1x1', shape: [2, 2, 4, 4], kernel: [1, 1] },
  { name: 'a window of everything', shape: [2, 3, 5, 4], kernel: [5, 4] },
];

function windowsOf(c: Case): Pool2d {
  return {
    kernel: c.kernel,
    stride: c.stride ?? c.kernel,
    padding: c.padding ?? [0, 0],
    dilation: c.dilation ?? [1, 1],
  };
}

/** Half of a concat: an offset, and other channels between the items. */
function inConcat([, c, h, w]: readonly number[]): Layout {
  const [channels, height, width] = [c, h, w] as [number, number, number];
  return { offset: 8, strides: [channels * height * width + 24, height * width, width, 1] };
}

describe.each(FORMS.flatMap((form) => cases.map((c) => ({ ...c, form }))))('$name, as on a $form', (c) => {
  const p = windowsOf(c);
  const options = {
    kernelSize: p.kernel,
    stride: p.stride,
    padding: p.padding,
    dilation: p.dilation,
    ceilMode: c.ceilMode ?? false,
  };
  const count = c.shape.reduce((a, b) => a * b, 1);
  // Small whole numbers: many windows have equal maxima.
  const sets: [string, Float64Array][] = [
    ['distinct', numbers(count, -5, 5)],
    ['with ties', whole(3, count, -2, 2)],
  ];
  it.each(sets)('agrees with the reference, values %s', async (_, values) => {
    const k = await KernelRun.open(c.form);
    const x64 = array64(c.shape, values);
    const y64 = reference.forward([x64], options);
    const gy = numbers(y64.data.length, -1, 1, 7);
    const add = numbers(count, -1, 1, 8);
    const [gx64] = reference.vjp([x64], options, array64(y64.shape, gy));
    for (const layout of [undefined, inConcat]) {
      const x = k.put(values, c.shape, layout?.(c.shape));
      const g = k.put(gy, y64.shape, layout?.(y64.shape));
      const more = k.put(add, c.shape, layout?.(c.shape));
      const y = k.out(y64.shape, layout?.(y64.shape));
      const [gx, both, gated] = [0, 1, 2].map(() => k.out(c.shape, layout?.(c.shape))) as [
        Operand,
        Operand,
        Operand,
      ];
      const forward = maxPool2d(x, y, p, k.ctx);
      const backward = maxPool2dGrad(g, x, gx, p, undefined, k.ctx);
      expect(forward[0]?.shader.name).toBe(c.fast ? 'pool/max2x2' : 'pool/max');
      expect(backward[0]?.shader.name).toBe(c.fastGrad ? 'pool/max2x2_grad' : 'pool/max_grad');
      await k.run([
        ...forward,
        ...backward,
        ...maxPool2dGrad(g, x, both, p, more, k.ctx),
        ...maxPool2dGrad(g, x, gated, { ...p, slope: 1.25 }, more, k.ctx),
      ]);
      expect([...k.readAlone(y)]).toEqual([...y64.data]);
      // Windows that overlap add in another order than the reference.
      const expected = Array.from(gx64?.data ?? []);
      k.readAlone(gx).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i] as number, 5);
      });
      k.readAlone(both).forEach((v, i) => {
        expect(v).toBeCloseTo((expected[i] as number) + (add[i] as number), 5);
      });
      // What a ReLU gave is pooled: its own gradient too, which 0 and less do not pass.
      k.readAlone(gated).forEach((v, i) => {
        const passes = (values[i] as number) > 0;
        expect(v).toBeCloseTo(passes ? 1.25 * ((expected[i] as number) + (add[i] as number)) : 0, 5);
      });
    }
  });
});

/** PyTorch's scan, in which NaN takes the lead from anything and the first place stands if all are minus infinity. */
function scan(window: readonly number[]): number {
  let [best, at] = [Number.NEGATIVE_INFINITY, 0];
  window.forEach((v, i) => {
    if (v > best || Number.isNaN(v)) [best, at] = [v, i];
  });
  return at;
}

describe('special values', () => {
  const low = Number.NEGATIVE_INFINITY;
  const nan = Number.NaN;
  const windows = [
    [low, low, low, low],
    [low, low, 1, low],
    [nan, 1, 2, 3],
    [1, nan, 2, 3],
    [1, 2, nan, 3],
    [1, 2, 3, nan],
    [nan, 1, nan, 3],
    [nan, nan, nan, nan],
    [Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY, 3],
    [2, 2, 2, 2],
    [1, 2, 2, 1],
    [1, 1, 2, 2],
  ];

  it.each([
    ['fast', 4],
    ['general', 6],
  ] as const)('in the %s kernel', async (which, width) => {
    const k = await KernelRun.open();
    const across = width / 2;
    const shape = [1, windows.length / across, 2, width] as const;
    const x = new Float64Array(windows.length * 4);
    const place = (window: number, i: number) =>
      Math.floor(window / across) * 2 * width + Math.floor(i / 2) * width + (window % across) * 2 + (i % 2);
    windows.forEach((values, window) => {
      values.forEach((v, i) => {
        x[place(window, i)] = v;
      });
    });
    const expected = new Float64Array(x.length);
    windows.forEach((values, window) => {
      expected[place(window, scan(values))] = window + 1;
    });
    const p: Pool2d = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
    const outShape = [1, shape[1], 1, across] as const;
    const operand = k.put(x, shape);
    const [y, gx] = [k.out(outShape), k.out(shape)];
    const gy = k.put(
      windows.map((_, i) => i + 1),
      outShape,
    );
    const launches = [...maxPool2d(operand, y, p), ...maxPool2dGrad(gy, operand, gx, p)];
    expect(launches[0]?.shader.name).toBe(which === 'fast' ? 'pool/max2x2' : 'pool/max');
    await k.run(launches);
    expect([...k.read(y)]).toEqual(windows.map((values) => values[scan(values)]));
    expect([...k.read(gx)]).toEqual([...expected]);
  });

  it('padding never wins', async () => {
    const k = await KernelRun.open();
    const p: Pool2d = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] };
    const x = k.put([-5, -6, -7, -8], [1, 1, 2, 2]);
    const y = k.out([1, 1, 2, 2]);
    await k.run(maxPool2d(x, y, p));
    expect([...k.read(y)]).toEqual([-5, -5, -5, -5]);
  });

  it('refuses what has no planes', async () => {
    const k = await KernelRun.open();
    const x = k.out([1, 2, 4, 4], { offset: 0, strides: [32, 1, 8, 2] });
    expect(() => maxPool2d(x, k.out([1, 2, 2, 2]), windowsOf(cases[0] as Case))).toThrow('contiguous planes');
  });
});
