import { describe, expect, it } from 'vitest';
import type { Layout } from '../../src/engine/kernel.js';
import { dropout } from '../../src/engine/kernels/dropout.js';
import { FORMS, type Form, KernelRun } from '../support/kernelRun.js';

async function mask(
  count: number,
  options: { p: number; stream: number },
  scalars: { seed: number; step: number },
  layout?: { shape: number[]; from?: Layout; to?: Layout },
  form?: Form,
): Promise<Float64Array> {
  const k = await KernelRun.open(form);
  const shape = layout?.shape ?? [count];
  const x = k.put(new Float32Array(count).fill(1), shape, layout?.from);
  const y = k.out(shape, layout?.to);
  const launches = dropout(x, y, options, k.ctx);
  k.scalars({ seed: { u32: scalars.seed }, step: { u32: scalars.step } });
  await k.run(launches);
  return k.readAlone(y);
}

describe('dropout', () => {
  it.each([0.1, 0.5, 0.6, 0.99])('drops %d of the elements and scales the rest', async (p) => {
    const count = 200_000;
    const y = await mask(count, { p, stream: 3 }, { seed: 777, step: 5 });
    const kept = y.filter((v) => v !== 0);
    expect(kept.every((v) => v === Math.fround(1 / (1 - p)))).toBe(true);
    // Within five standard deviations.
    expect(Math.abs(1 - kept.length / count - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
  });

  it('depends on seed, step and stream, and on nothing else', async () => {
    const base = await mask(4096, { p: 0.5, stream: 0 }, { seed: 1, step: 1 });
    const agreement = (other: Float64Array) => other.filter((v, i) => v === base[i]).length / 4096;
    expect(agreement(await mask(4096, { p: 0.5, stream: 0 }, { seed: 1, step: 1 }))).toBe(1);
    for (const other of [
      await mask(4096, { p: 0.5, stream: 0 }, { seed: 2, step: 1 }),
      await mask(4096, { p: 0.5, stream: 0 }, { seed: 1, step: 2 }),
      await mask(4096, { p: 0.5, stream: 1 }, { seed: 1, step: 1 }),
    ]) {
      expect(Math.abs(agreement(other) - 0.5)).toBeLessThan(0.05);
    }
  });

  it('draws by the logical element, whatever the layout', async () => {
    const options = { p: 0.5, stream: 9 };
    const scalars = { seed: 4, step: 2 };
    const base = [...(await mask(96, options, scalars))];
    const shape = [2, 3, 4, 4];
    const layouts: { shape: number[]; from?: Layout; to?: Layout }[] = [
      { shape },
      { shape: [19, 5] },
      { shape, to: { offset: 48, strides: [96, 16, 4, 1] } },
      { shape, from: { offset: 5, strides: [48, 16, 1, 4] } },
      { shape, to: { offset: 1, strides: [48, 16, 4, 1] } },
    ];
    for (const layout of layouts) {
      const count = layout.shape.reduce((a, b) => a * b, 1);
      for (const form of FORMS)
        expect([...(await mask(count, options, scalars, layout, form))]).toEqual(base.slice(0, count));
    }
  });

  it('copies at p = 0 and gives zeros at p = 1', async () => {
    expect([...(await mask(8, { p: 0, stream: 0 }, { seed: 1, step: 1 }))]).toEqual(new Array(8).fill(1));
    expect([...(await mask(8, { p: 1, stream: 0 }, { seed: 1, step: 1 }))]).toEqual(new Array(8).fill(0));
  });

  it('drops NaN and infinity too', async () => {
    const k = await KernelRun.open();
    const x = k.put(new Float32Array(64).fill(Number.NaN), [64]);
    const y = k.out([64]);
    const launches = dropout(x, y, { p: 0.5, stream: 0 }, k.ctx);
    k.scalars({ seed: { u32: 1 }, step: { u32: 1 } });
    await k.run(launches);
    expect(k.read(y).filter((v) => v === 0).length).toBeGreaterThan(16);
  });

  it('refuses a probability outside 0..1', async () => {
    const k = await KernelRun.open();
    expect(() => dropout(k.out([4]), k.out([4]), { p: 1.5, stream: 0 }, k.ctx)).toThrow('in 0..1, not 1.5');
  });
});
