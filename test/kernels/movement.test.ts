import { describe, expect, it } from 'vitest';
import type { Layout } from '../../src/engine/kernel.js';
import { copyStrided, pad, u8ToF32 } from '../../src/engine/kernels/movement.js';
import { FORMS, KernelRun, numbers } from '../support/kernelRun.js';

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe('copyStrided', () => {
  const cases: [string, number[], Layout | undefined, Layout | undefined, string][] = [
    ['contiguous', [4, 8], undefined, undefined, 'copy x4'],
    ['odd', [3, 5], undefined, undefined, 'copy x1'],
    [
      'into half of a concat',
      [2, 3, 4, 4],
      undefined,
      { offset: 48, strides: [96, 16, 4, 1] },
      'copy x4 over 2 axes',
    ],
    ['out of a transpose', [6, 9], { offset: 1, strides: [1, 6] }, undefined, 'copy x1 over 2 axes'],
    [
      'a permutation of four axes',
      [2, 3, 4, 5],
      { offset: 0, strides: [1, 40, 2, 8] },
      undefined,
      'copy x1 over 4 axes',
    ],
  ];
  it.each(cases)('%s', async (_, shape, from, to, variant) => {
    for (const form of FORMS) {
      const k = await KernelRun.open(form);
      const values = numbers(size(shape));
      const y = k.out(shape, to);
      const launches = copyStrided(k.put(values, shape, from), y, k.ctx);
      expect(launches.map((launch) => launch.variant)).toEqual([variant]);
      await k.run(launches);
      expect([...k.readAlone(y)]).toEqual([...values]);
    }
  });

  it('repeats what broadcasts', async () => {
    const k = await KernelRun.open();
    const y = k.out([2, 3, 4]);
    await k.run(copyStrided(k.put([1, 2, 3], [3, 1]), y));
    expect([...k.readAlone(y)]).toEqual([
      1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
    ]);
  });

  it('changes no bit, of integers either', async () => {
    const k = await KernelRun.open();
    // A signalling NaN, a subnormal, minus zero, all ones.
    const words = [0x7f800001, 0x00000001, 0x80000000, 0xffffffff, 5];
    const y = k.out([5], undefined, 'u32');
    await k.run(copyStrided(k.put(words, [5], undefined, 'u32'), y));
    expect([...k.read(y)]).toEqual(words);
  });
});

/** Pads one value at a time. */
function padded(
  values: ArrayLike<number>,
  shape: readonly number[],
  to: readonly number[],
  before: readonly number[],
  value: number,
) {
  return Array.from({ length: size(to) }, (_, i) => {
    let [rest, at, step, inside] = [i, 0, 1, true];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const c = (rest % (to[axis] as number)) - (before[axis] as number);
      rest = Math.floor(rest / (to[axis] as number));
      inside &&= c >= 0 && c < (shape[axis] as number);
      at += c * step;
      step *= shape[axis] as number;
    }
    return inside ? values[at] : value;
  });
}

describe('pad', () => {
  const cases: [string, number[], number[], number[], number][] = [
    ['one axis', [5], [9], [2], 0],
    ['images', [2, 3, 4, 5], [2, 3, 7, 9], [0, 0, 1, 3], -1.5],
    ['minus infinity', [2, 2], [4, 4], [1, 1], Number.NEGATIVE_INFINITY],
    ['a crop', [6, 7], [3, 4], [-2, -1], 0],
    ['a crop on one side, padding on the other', [6, 7], [6, 7], [-2, 3], 9],
    ['nothing left of it', [4], [3], [-5], 7],
    ['all axes', [1, 2, 1, 3, 2, 2], [2, 3, 2, 4, 3, 3], [1, 0, 0, 1, 1, 0], 4],
  ];
  it.each(cases)('%s', async (_, shape, to, before, value) => {
    const k = await KernelRun.open();
    const values = numbers(size(shape));
    const y = k.out(to);
    await k.run(pad(k.put(values, shape), y, before, value));
    expect([...k.readAlone(y)]).toEqual(padded(values, shape, to, before, value));
  });

  it('takes strides on both sides', async () => {
    const k = await KernelRun.open();
    const values = numbers(12);
    const x = k.put(values, [3, 4], { offset: 2, strides: [1, 3] });
    const y = k.out([5, 6], { offset: 3, strides: [1, 8] });
    await k.run(pad(x, y, [1, 1], 0.5));
    expect([...k.readAlone(y)]).toEqual(padded(values, [3, 4], [5, 6], [1, 1], 0.5));
  });

  it('refuses a wrong number of axes', async () => {
    const k = await KernelRun.open();
    expect(() => pad(k.out([2, 2]), k.out([3, 3]), [1], 0)).toThrow('one number an axis');
  });
});

describe('u8ToF32', () => {
  it.each([
    ['contiguous', [3, 7], undefined],
    ['from an odd byte', [2, 5], { offset: 3, strides: [5, 1] }],
    ['channels last to channels first', [3, 4, 5], { offset: 1, strides: [1, 15, 3] }],
  ] as [string, number[], Layout | undefined][])('%s', async (_, shape, layout) => {
    const k = await KernelRun.open();
    const values = Array.from({ length: size(shape) }, (_, i) => (i * 37 + (i % 2) * 200) % 256);
    values[0] = 255;
    values[1] = 0;
    const y = k.out(shape);
    await k.run(u8ToF32(k.put(values, shape, layout, 'u8'), y, 0.5));
    expect([...k.readAlone(y)]).toEqual(values.map((v) => v / 2));
  });

  it('255 over 255 is 1', async () => {
    const k = await KernelRun.open();
    const y = k.out([2]);
    await k.run(u8ToF32(k.put([255, 0], [2], undefined, 'u8'), y, 1 / 255));
    expect([...k.read(y)]).toEqual([1, 0]);
  });
});
