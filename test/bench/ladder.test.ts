import { describe, expect, it, vi } from 'vitest';
import { compare, sampleOf } from '../../bench/ladder/compare.js';
import { ladderOf, ladders } from '../../bench/ladder/index.js';
import type { Expected } from '../../bench/ladder/problem.js';
import { random } from '../../bench/ladder/problem.js';
import { expectedForward, expectedInputGrad, expectedWeightGrad } from '../../bench/ladder/reference.js';
import { ladderText, UNFIT } from '../../bench/ladder/text.js';
import { FULL, SMALL, TINY } from '../../bench/peers/net.js';
import type { Row } from '../../bench/report.js';
import { ladder } from '../../bench/suites/ladder.js';
import { profile } from '../../bench/suites/profile.js';
import { step } from '../../bench/suites/step.js';
import type { Conv2dProblem } from '../../src/engine/kernels/conv2d.js';
import { conv2dVariants } from '../../src/engine/kernels/conv2dVariants.js';
import {
  referenceForward,
  referenceInputGrad,
  referenceWeightGrad,
  relativeError,
} from '../support/conv2dReference.js';
import { benchContext } from './support.js';

// The ceiling comes first, and kernels are compiled one after the other: minutes where the machine is busy.
vi.setConfig({ testTimeout: 300_000 });

const PROBLEMS: readonly Conv2dProblem[] = [
  {
    n: 2,
    c: 3,
    h: 5,
    w: 7,
    k: 4,
    oh: 5,
    ow: 7,
    kh: 3,
    kw: 3,
    sh: 1,
    sw: 1,
    ph: 1,
    pw: 1,
    dh: 1,
    dw: 1,
    groups: 1,
  },
  {
    n: 1,
    c: 2,
    h: 6,
    w: 8,
    k: 3,
    oh: 3,
    ow: 4,
    kh: 2,
    kw: 2,
    sh: 2,
    sw: 2,
    ph: 0,
    pw: 0,
    dh: 1,
    dw: 1,
    groups: 1,
  },
  {
    n: 2,
    c: 2,
    h: 9,
    w: 7,
    k: 3,
    oh: 4,
    ow: 2,
    kh: 3,
    kw: 2,
    sh: 2,
    sw: 3,
    ph: 1,
    pw: 0,
    dh: 1,
    dw: 2,
    groups: 1,
  },
];

const all = (expected: Expected): Float64Array => sampleOf(expected).values;

describe('the reference of the ladders', () => {
  it.each(PROBLEMS)('is that of the tests, %o', (p) => {
    const x = random(p.n * p.c * p.h * p.w, 1);
    const y = random(p.n * p.k * p.oh * p.ow, 2);
    const weight = random(p.k * p.c * p.kh * p.kw, 3);
    expect(relativeError(all(expectedForward(p, x, weight)), referenceForward(p, x, weight))).toBeLessThan(
      1e-14,
    );
    expect(
      relativeError(all(expectedInputGrad(p, y, weight)), referenceInputGrad(p, y, weight)),
    ).toBeLessThan(1e-14);
    expect(relativeError(all(expectedWeightGrad(p, x, y)), referenceWeightGrad(p, x, y))).toBeLessThan(1e-14);
  });

  it('is sampled where it would take long, with both ends and every row and column', () => {
    const expected: Expected = { shape: [3, 40, 64], at: (i) => i, cost: 10 };
    const { indices, values, count } = sampleOf(expected, 5000, 5000);
    expect(count).toBe(7680);
    expect(indices.length).toBeGreaterThan(250);
    expect(indices.length).toBeLessThan(1200);
    expect([indices[0], indices[indices.length - 1]]).toEqual([0, 7679]);
    expect(new Set(indices.map((i) => i % 64)).size).toBe(64);
    expect([...indices]).toEqual([...values].sort((a, b) => a - b));
  });
});

describe('the verdict on a result', () => {
  const expected: Expected = { shape: [2, 3, 4], at: (i) => i + 1, cost: 1 };
  const right = Float64Array.from({ length: 24 }, (_, i) => i + 1);

  it('is its error where that is within the limit', () => {
    const verdict = compare(
      right.map((v) => v * (1 + 1e-6)),
      sampleOf(expected),
      1e-4,
    );
    expect(verdict.error).toBeCloseTo(1e-6, 9);
    expect(verdict.wrong).toBeUndefined();
  });

  it('tells where it is first wrong, and where worst', () => {
    const got = right.slice();
    got[17] = 17;
    got[21] = 2;
    const { wrong } = compare(got, sampleOf(expected), 1e-4);
    expect(wrong).toContain(
      '2 of 24 elements are off, the first at [1, 1, 1] (element 17): 17 where 18 is right',
    );
    expect(wrong).toContain('the worst at [1, 2, 1] (element 21): 2 where 22 is right');
  });

  it('takes NaN for wrong', () => {
    const got = right.slice();
    got[0] = Number.NaN;
    const { error, wrong } = compare(got, sampleOf(expected), 1e-4);
    expect(error).toBeNaN();
    expect(wrong).toContain('the first at [0, 0, 0] (element 0): NaN where 1 is right');
  });
});

describe('the ladders', () => {
  it('are found by the names of the engine and of PyTorch', () => {
    expect(ladderOf('max_pool2d')?.name).toBe('maxPool2d');
    expect(ladderOf('conv2dWeightGrad')?.name).toBe('conv2dWeightGrad');
    expect(ladderOf('conv3d')).toBeUndefined();
  });

  it('have the layers of the nets, and their work', () => {
    const work = (name: string, net: typeof FULL): number =>
      (ladderOf(name)?.layers(net) ?? []).reduce((sum, { flops, count }) => sum + flops * count, 0);
    // Forward of the full net: 385 GFLOP at batch 4.
    expect((work('conv2d', FULL) + work('convTranspose2d', FULL)) / 1e9).toBeCloseTo(385.4, 0);
    expect(work('conv2dWeightGrad', SMALL)).toBe(work('conv2d', SMALL));
    const first = work('conv2d', SMALL) - work('conv2dInputGrad', SMALL);
    expect(first).toBe(2 * 4 * 16 * 3 * 9 * 128 * 128);
    for (const { layers } of ladders) for (const { bytes } of layers(TINY)) expect(bytes).toBeGreaterThan(0);
  });
});

it('every kernel of an op is right on a tiny net, and its rows say what it took', async () => {
  const ops = [
    'conv2d',
    'convTranspose2dWeightGrad',
    'conv2dBiasGrad',
    'maxPool2dGrad',
    'lossGrad',
    'sgd',
    'adam',
  ];
  const context = await benchContext({ ladder: { ops } });
  try {
    const rows = await ladder.run(context);
    for (const { note = '' } of rows) expect(note).not.toContain('WRONG');
    const errors = rows.filter(({ what }) => what.endsWith(': error'));
    for (const { value } of errors) expect(value).toBeLessThan(1e-4);
    expect(new Set(errors.map(({ op }) => op))).toEqual(new Set(ops));
    // Each variant of each layer either has its figures or says why it has none.
    const layer = rows.filter(({ op, layer: at }) => op === 'conv2d' && at?.startsWith('down.0.conv1'));
    expect(new Set(layer.map(({ variant }) => variant))).toEqual(new Set(conv2dVariants.forward));
    for (const variant of conv2dVariants.forward) {
      const own = layer.filter((row) => row.variant === variant);
      if (own[0]?.value === null) expect(own[0].note).toMatch(/^does not run: /);
      else expect(own.map(({ unit }) => unit)).toEqual(['ms', 'GFLOP/s', 'GB/s', '', 'relative']);
    }
    const [time, rate, bandwidth, share] = layer.filter(({ variant }) => variant === 'direct');
    const ms = time?.value as number;
    expect(ms).toBeGreaterThan(0);
    expect(rate?.value).toBeCloseTo((time?.flops as number) / ms / 1e6, 6);
    expect(bandwidth?.value).toBeCloseTo((time?.bytes as number) / ms / 1e6, 6);
    expect(share?.value).toBeGreaterThan(0);
    expect(layer.filter(({ chosen, unit }) => chosen && unit === 'ms')).toHaveLength(1);

    const text = ladder.text?.(rows) ?? '';
    expect(text).toMatch(/tiny conv2d, down\.0\.conv1 3x3 3>4 32x32 \(0\.442 MFLOP/);
    expect(text).toMatch(/conv2d\/forward_direct \(direct\)/);
    expect(text).toMatch(/tiny conv2d, all layers of the net: direct /);
  } finally {
    await context.close();
  }
});

it('in mixed precision convolutions are f16, within its rounding, and ours in f32 runs beside', async () => {
  const context = await benchContext({
    precision: 'mixed',
    ladder: { ops: ['conv2dInputGrad', 'conv2dWeightGrad'], layer: 'down.1', variants: ['direct', 'tile'] },
  });
  try {
    if (!context.device.facts.features.includes('shader-f16')) return;
    const rows = await ladder.run(context);
    for (const { note = '' } of rows) expect(note).not.toContain('WRONG');
    const errors = rows.filter(({ what }) => what.endsWith(': error'));
    const worst = (op: string) =>
      Math.max(...errors.filter((row) => row.op === op).map(({ value }) => value ?? Number.NaN));
    // A weight's gradient is f32; what is stored as f16 shows that it was.
    expect(worst('conv2dWeightGrad')).toBeLessThan(1e-5);
    expect(worst('conv2dInputGrad')).toBeGreaterThan(1e-5);
    expect(worst('conv2dInputGrad')).toBeLessThan(2 ** -11);
    const [time] = await step.run(context);
    expect(time).toMatchObject({ what: 'training step', peer: 'shadergrad in f32' });
    expect(time?.value).toBeGreaterThan(0);
    const { peer } = (await context.contest('tiny')).ours;
    const { steps } = await peer.trainPlan();
    expect(
      steps.filter(({ choice }) => choice?.problem.split(' ')[1]?.endsWith('f16')).length,
    ).toBeGreaterThan(0);
  } finally {
    await context.close();
  }
});

it('the profile shares a step out among its kernels', async () => {
  const context = await benchContext();
  try {
    const rows = await profile.run(context);
    const shares = rows.filter(({ what }) => what.endsWith(': share of the step'));
    expect(shares.reduce((sum, { value }) => sum + (value ?? 0), 0)).toBeCloseTo(1, 9);
    expect(new Set(shares.map(({ op }) => op))).toContain('conv2dWeightGrad');
    expect(rows.find(({ what }) => what.startsWith('sum of'))?.note).toMatch(
      /^timed by (timestamp queries|the clock)/,
    );
    expect(profile.text?.(rows)).toMatch(/^tiny: a training step takes .* ms/);
  } finally {
    await context.close();
  }
});

describe('the text of a ladder', () => {
  const row = (layer: string, value: number | null): Row => ({
    suite: 'ladder',
    case: 'tiny',
    op: 'conv2d',
    layer,
    variant: 'strips',
    what: 'strips: time',
    value,
    unit: 'ms',
    ...(value === null ? { note: UNFIT } : {}),
  });

  it('counts the launches of a kernel', () => {
    const text = ladderText([{ ...row('a', 2), kernels: ['pack', 'strips', 'strips'] }]);
    expect(text).toContain('pack + strips (2 times)');
  });

  it('adds up the layers that run, and says how many do', () => {
    const text = ladderText([row('a', 2), row('b', 3), row('c', null)]);
    expect(text).toMatch(/tiny conv2d, the 2 of 3 layers that run here: strips 5\.00 ms$/);
  });
});
