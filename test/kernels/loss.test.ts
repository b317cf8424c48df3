import { describe, expect, it } from 'vitest';
import type { Layout } from '../../src/engine/kernel.js';
import { bceLogitsMean, bceMean, diceLoss, diceLossGrad, diceSums } from '../../src/engine/kernels/loss.js';
import { FORMS, type Form, KernelRun, numbers, relativeError } from '../support/kernelRun.js';

const bce = (p: number, t: number) =>
  (t - 1) * Math.max(Math.log(1 - p), -100) - t * Math.max(Math.log(p), -100);
const bceLogits = (x: number, t: number) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)));

const shapes: [string, number[], Layout | undefined][] = [
  ['one element', [1], undefined],
  ['a few, odd', [7], undefined],
  ['a batch of masks', [4, 1, 32, 32], undefined],
  ['an odd size', [3, 1, 31, 29], undefined],
  ['an odd offset', [2, 64], { offset: 3, strides: [64, 1] }],
  ['strides', [40, 30], { offset: 1, strides: [1, 41] }],
];

describe.each(
  FORMS.flatMap((form) => shapes.map((shape): [...(typeof shapes)[number], Form] => [...shape, form])),
)('over %s (%j, %j, as on a %s)', (_, shape, layout, form) => {
  const count = shape.reduce((a, b) => a * b, 1);
  const p = numbers(count, 0.001, 0.999, 1);
  const t = numbers(count, 0, 1, 2).map((v) => (v < 0.3 ? Math.fround(0.9999) : 0));
  // Exact zeros and ones, right and wrong.
  if (count > 6) {
    p.set([0, 0, 1, 1], 0);
    t.set([0, 1, 0, 1], 0);
  }
  const mean = (f: (a: number, b: number) => number, a: Float64Array) =>
    a.reduce((sum, v, i) => sum + f(v, t[i] as number), 0) / count;

  it('bceMean', async () => {
    const k = await KernelRun.open(form);
    const out = k.out([]);
    await k.run(bceMean(k.put(p, shape, layout), k.put(t, shape), out, k.ctx));
    expect(relativeError(k.readAlone(out), [mean(bce, p)])).toBeLessThan(2e-6);
  });

  it('bceLogitsMean', async () => {
    const k = await KernelRun.open(form);
    const x = numbers(count, -12, 12, 3);
    x[0] = 300;
    const out = k.out([]);
    await k.run(bceLogitsMean(k.put(x, shape, layout), k.put(t, shape), out, k.ctx));
    expect(relativeError(k.readAlone(out), [mean(bceLogits, x)])).toBeLessThan(2e-6);
  });

  it('diceSums, diceLoss and its gradient', async () => {
    const k = await KernelRun.open(form);
    const [tOperand, sums, loss] = [k.put(t, shape, layout), k.out([3]), k.out([])];
    const gp = k.out(shape, layout);
    const g = k.put([0.3], []);
    await k.run([
      ...diceSums(k.put(p, shape), tOperand, sums, k.ctx),
      ...diceLoss(sums, loss, { smooth: 1 }),
      ...diceLossGrad(sums, tOperand, g, gp, { smooth: 1 }, k.ctx),
    ]);
    let [both, ofP, ofT] = [0, 0, 0];
    p.forEach((v, i) => {
      both += v * (t[i] as number);
      ofP += v;
      ofT += t[i] as number;
    });
    expect(relativeError(k.readAlone(sums), [both, ofP, ofT])).toBeLessThan(1e-6);
    const [n, d] = [2 * both + 1, ofP + ofT + 1];
    expect(relativeError(k.readAlone(loss), [1 - n / d])).toBeLessThan(1e-5);
    const expected = t.map((v) => Math.fround(0.3) * ((-2 * v * d + n) / (d * d)));
    expect(relativeError(k.readAlone(gp), expected)).toBeLessThan(1e-5);
  });
});

describe.each(FORMS)('sums of many terms, as on a %s', (form) => {
  it('stay accurate and the same', async () => {
    const k = await KernelRun.open(form);
    const count = 1 << 20;
    const p = numbers(count, 0.01, 0.99, 5);
    const t = p.map((_, i) => Number(i % 20 === 0));
    const results: number[][] = [];
    for (let i = 0; i < 2; i++) {
      const [a, b] = [k.put(p, [count]), k.put(t, [count])];
      const [out, sums] = [k.out([]), k.out([3])];
      await k.run([...bceMean(a, b, out, k.ctx), ...diceSums(a, b, sums, k.ctx)]);
      results.push([...k.read(out), ...k.read(sums)]);
    }
    expect(results[0]).toEqual(results[1]);
    const expected = [0, 0, 0, 0];
    p.forEach((v, i) => {
      const ti = t[i] as number;
      [bce(v, ti) / count, v * ti, v, ti].forEach((term, j) => {
        expected[j] = (expected[j] as number) + term;
      });
    });
    for (let j = 0; j < 4; j++) {
      expect(Math.abs(((results[0] as number[])[j] as number) / (expected[j] as number) - 1)).toBeLessThan(
        1e-6,
      );
    }
  });
});

describe('NaN shows', () => {
  it.each([5, 8])('in every loss over %d elements', async (count) => {
    const k = await KernelRun.open();
    const values = new Float64Array(count).fill(0.5);
    values[3] = Number.NaN;
    const [bad, good] = [k.put(values, [count]), k.put(new Float64Array(count).fill(0.5), [count])];
    const outs = [k.out([]), k.out([]), k.out([3])] as const;
    await k.run([
      ...bceMean(bad, good, outs[0], k.ctx),
      ...bceLogitsMean(bad, good, outs[1], k.ctx),
      ...diceSums(bad, good, outs[2], k.ctx),
    ]);
    expect(outs.map((out) => k.read(out)[0])).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe('a slice without lesion', () => {
  it('has the Dice loss S / (S + 1) for a summed probability S', async () => {
    const k = await KernelRun.open();
    const [sums, loss] = [k.put([0, 3, 0], [3]), k.out([])];
    await k.run(diceLoss(sums, loss, { smooth: 1 }));
    expect(k.read(loss)[0]).toBeCloseTo(0.75, 6);
  });

  it('refuses shapes that differ, and nothing at all', async () => {
    const k = await KernelRun.open();
    expect(() => bceMean(k.out([4]), k.out([2, 2]), k.out([]), k.ctx)).toThrow('must have the same shape');
    expect(() => diceSums(k.out([0]), k.out([0]), k.out([3]), k.ctx)).toThrow('no element');
  });
});
