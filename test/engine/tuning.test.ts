import { describe, expect, it } from 'vitest';
import { shippedEntries } from '../../scripts/shippedEntries.js';
import { plan } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import type { Candidate, DeviceFacts, Problem } from '../../src/engine/kernel.js';
import { conv2d } from '../../src/engine/ops/conv.js';
import { sum } from '../../src/engine/ops/reduce.js';
import type { PlanOptions } from '../../src/engine/plan/plan.js';
import type { Plan } from '../../src/engine/plan/types.js';
import { Parameter } from '../../src/engine/tensor.js';
import { choose } from '../../src/engine/tuning/choose.js';
import { parseForce, variantsByOp } from '../../src/engine/tuning/force.js';
import { shippedTable } from '../../src/engine/tuning/shipped.js';
import { loadTuning, saveTuning } from '../../src/engine/tuning/store.js';
import {
  emptyTable,
  isTableOf,
  parseTable,
  problemKey,
  problemOf,
  type TuningTable,
} from '../../src/engine/tuning/table.js';
import { everyKernel } from '../../src/everyKernel.js';
import { facts } from './facts.js';

const problem: Problem = { form: '3x3s1p1', sizes: [4, 16, 128, 128, 32] };
const candidates: readonly Candidate[] = [
  { name: 'direct', share: 0.01 },
  { name: 'block', share: 0.3 },
  { name: 'tiled', share: 0.2 },
  { name: 'half', share: null },
];

function tableOf(entries: Readonly<Record<string, string>>, device: DeviceFacts = facts()): TuningTable {
  const full = Object.entries(entries).map(
    ([key, variant]) => [key, { variant, milliseconds: { [variant]: 2 } }] as const,
  );
  return { ...emptyTable(device), entries: Object.fromEntries(full) };
}

const own = problemKey('conv2d', problem);
const keyOf = (...sizes: readonly number[]) => problemKey('conv2d', { ...problem, sizes });
const chosen = (table: TuningTable | null, forced?: string) =>
  choose('conv2d', problem, candidates, { table, forced });

describe('the choice between kernels', () => {
  it('takes the greatest share that can run, the first of equals', () => {
    expect(chosen(null)).toEqual({ variant: 'block', why: 'expected' });
    const equal = candidates.map(({ name }) => ({ name, share: 0.5 }));
    expect(choose('conv2d', problem, equal, {}).variant).toBe('direct');
    expect(() => choose('conv2d', problem, [{ name: 'half', share: null }], {})).toThrow(
      'conv2d: no variant can run this problem (3x3s1p1 4x16x128x128x32).',
    );
  });

  it('puts forced before tuned, tuned before near, near before expected', () => {
    const near = keyOf(8, 16, 128, 128, 32);
    const table = tableOf({ [near]: 'direct', [own]: 'tiled' });
    expect(chosen(table, 'direct')).toEqual({ variant: 'direct', why: 'forced' });
    expect(chosen(table)).toEqual({ variant: 'tiled', why: 'tuned' });
    expect(chosen(tableOf({ [near]: 'direct' }))).toEqual({ variant: 'direct', why: 'near' });
    expect(chosen(tableOf({}))).toEqual({ variant: 'block', why: 'expected' });
  });

  it('takes the nearest of near entries, of the same op and form alone', () => {
    const table = tableOf({
      [keyOf(4, 32, 128, 128, 64)]: 'direct',
      [keyOf(4, 16, 128, 128, 48)]: 'tiled',
    });
    expect(chosen(table)).toEqual({ variant: 'tiled', why: 'near' });
    for (const far of [
      keyOf(4, 16, 256, 256, 64),
      keyOf(4, 16, 128, 128, 129),
      own.replace('conv2d', 'conv2dInputGrad'),
      own.replace('3x3s1p1', '3x3s1p0'),
      'conv2d 3x3s1p1 4x16',
      'conv2d',
      '',
    ]) {
      expect(chosen(tableOf({ [far]: 'tiled' })), far).toEqual({ variant: 'block', why: 'expected' });
    }
  });

  it('passes over what a table names that is unknown or cannot run', () => {
    for (const variant of ['half', 'gone', '', '__proto__', 'toString']) {
      expect(chosen(tableOf({ [own]: variant })), variant).toEqual({ variant: 'block', why: 'expected' });
      const beside = tableOf({ [own]: variant, [keyOf(2, 16, 128, 128, 32)]: 'tiled' });
      expect(chosen(beside), variant).toEqual({ variant: 'tiled', why: 'near' });
    }
  });

  it('leaves a forced kernel that cannot run to the other rules, and refuses an unknown one', () => {
    expect(chosen(null, 'half')).toEqual({ variant: 'block', why: 'expected' });
    expect(() => chosen(null, 'fast')).toThrow(
      "conv2d: no variant 'fast'; there are direct, block, tiled, half.",
    );
  });
});

const w = new Parameter([4, 4, 3, 3], null);
const last = new Parameter([1, 4, 1, 1], null);

function planOf(options: PlanOptions = {}, device: DeviceFacts = facts()): Plan {
  return plan(
    device,
    { x: [2, 4, 8, 8] },
    ({ x }) => {
      const y = conv2d(conv2d(x, w, null, { padding: 1 }).relu(), last);
      const [gw] = grad(sum(y.square()), [w]);
      return { y, gw: gw as NonNullable<typeof gw> };
    },
    { kernels: everyKernel, ...options },
  );
}

function choices(made: Plan) {
  const seen = new Map(made.steps.map((step) => [step.group, step.choice]));
  return [...seen.values()].flatMap((choice) =>
    choice ? [{ key: choice.problem, variant: choice.variant, why: choice.why }] : [],
  );
}

describe('a plan with a tuning table', () => {
  const first = 'conv2d 3x3s1p1 2x4x8x8x4';

  it('is the same for the same graph, facts and table', () => {
    const table = tableOf({ [first]: 'direct' });
    const bare = (made: Plan) => JSON.stringify({ ...made, buffers: made.buffers.length });
    expect(bare(planOf({ tuning: table }))).toBe(bare(planOf({ tuning: table })));
    expect(bare(planOf({ tuning: null }))).toBe(bare(planOf({ tuning: tableOf({}) })));
  });

  it('says what was chosen among what, and why', () => {
    const made = planOf({ tuning: tableOf({ [first]: 'direct' }) });
    expect(choices(made)[0]).toEqual({ key: first, variant: 'direct', why: 'tuned' });
    const { choice } = made.steps[0] as { choice: NonNullable<Plan['steps'][number]['choice']> };
    expect(choice.milliseconds).toBe(2);
    expect(choice.candidates.map(({ name }) => name)).toEqual(variantsByOp.conv2d);
    expect(choice.inputs).toEqual([
      { shape: [2, 4, 8, 8], dtype: 'f32' },
      { shape: [4, 4, 3, 3], dtype: 'f32' },
    ]);
    expect(choice.output).toEqual({ shape: [2, 4, 8, 8], dtype: 'f32' });
    expect(new Set(choices(made).map(({ key }) => key.split(' ')[0]))).toEqual(
      new Set(['conv2d', 'conv2dInputGrad', 'conv2dWeightGrad']),
    );
  });

  it('forces a kernel wherever it can run, and says where it can run nowhere', () => {
    const made = choices(planOf({ force: { conv2d: 'block' }, tuning: null }));
    const forward = made.filter(({ key }) => key.startsWith('conv2d '));
    expect(forward.map(({ variant, why }) => [variant, why])).toEqual([
      ['block', 'forced'],
      ['direct', 'expected'],
    ]);
    expect(() => planOf({ force: { conv2d: 'strips' } })).toThrow(
      /^conv2d: variant 'strips' cannot run this problem on this device; leave the choice/,
    );
    expect(() => planOf({ force: { conv2d: 'fast' } })).toThrow(/^conv2d: no variant 'fast'; there are /);
  });

  it('uses what ships for the kind of device unless it is given another table or null', () => {
    for (const kind of ['llvmpipe', 'swiftshader']) {
      const device = { ...facts(), kind, software: true, subgroupSize: 8 };
      const table = shippedTable(device) as TuningTable;
      for (const [key, { variant }] of Object.entries(table.entries)) {
        const [op, form, sizes] = key.split(' ') as [string, string, string];
        expect(variantsByOp[op], key).toContain(variant);
        expect(form).not.toBe('');
        expect(
          sizes.split('x').every((size) => Number(size) >= 1),
          key,
        ).toBe(true);
      }
      expect(shippedTable({ ...device, description: 'another' })).toBe(table);
    }
    expect(shippedTable(facts())).toBeNull();
    expect(shippedTable({ ...facts(), kind: 'constructor' })).toBeNull();
  });
});

describe('the entries that ship', () => {
  const sizes = [1, 2, 4, 8].map((n) => [n, 16, 128, 128, 32]);
  const choices = sizes.map((each) => ({ problem: keyOf(...each), candidates }));
  const timed = (best: string, others: Readonly<Record<string, number>>) => ({
    variant: best,
    milliseconds: { [best]: 1, ...others },
  });

  it('are those alone that change a choice for the better', () => {
    const shipped = (...entries: ReturnType<typeof timed>[]) => {
      const table = {
        ...tableOf({}),
        entries: Object.fromEntries(choices.map(({ problem: key }, i) => [key, entries[i]])),
      };
      return [table as TuningTable, shippedEntries(table as TuningTable, choices)] as const;
    };
    const expected = timed('block', { tiled: 2, direct: 30 });
    const other = timed('tiled', { block: 2 });
    const close = timed('tiled', { block: 1.01 });
    expect(shipped(expected, expected, close, expected)[1]).toEqual({});
    expect(shipped(other, other, other, other)[1]).toEqual({
      tiled: [keyOf(...(sizes[0] as number[])), keyOf(...(sizes[3] as number[]))],
    });
    // One that is off must not lead its neighbours astray.
    const [table, lists] = shipped(expected, other, expected, expected);
    const entries = Object.entries(lists).flatMap(([variant, keys]) =>
      keys.map((key) => [key, { variant, milliseconds: {} }] as const),
    );
    const made = { ...table, entries: Object.fromEntries(entries) };
    for (const { problem: key } of choices) {
      const { variant } = choose('conv2d', problemOf(key).problem, candidates, { table: made });
      expect(variant, key).toBe(table.entries[key]?.variant);
    }
  });
});

describe('words that force kernels', () => {
  it('are for one op or for all that have it', () => {
    expect(parseForce(['direct'])).toEqual({
      conv2d: 'direct',
      conv2dInputGrad: 'direct',
      conv2dWeightGrad: 'direct',
    });
    expect(parseForce(['direct', 'conv2d=block'])).toEqual({
      conv2d: 'block',
      conv2dInputGrad: 'direct',
      conv2dWeightGrad: 'direct',
    });
    expect(parseForce([])).toEqual({});
  });

  it('are refused in one sentence that lists what there is', () => {
    expect(() => parseForce(['fast'])).toThrow(
      /^No kernel can be forced by "fast"; there are .*conv2dWeightGrad=direct\|/,
    );
    expect(() => parseForce(['relu=direct'])).toThrow(/"relu=direct"; there are conv2d=direct\|/);
    expect(() => parseForce(['conv2d=fast'])).toThrow(/^[^;]*"conv2d=fast"; there are conv2d=direct[^,]*\.$/);
    expect(() => parseForce(['constructor=direct'])).toThrow(/there are conv2d=/);
    expect(() => parseForce(['conv2d='])).toThrow(/"conv2d="/);
  });
});

describe("a page's storage", () => {
  const held = new Map<string, string>();
  const store = {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, text: string) => void held.set(key, text),
  };

  it('keeps a table for each device, and gives nothing where there is no whole one', () => {
    const table = tableOf({ [own]: 'tiled' });
    expect(loadTuning(facts(), store)).toBeUndefined();
    saveTuning(table, store);
    saveTuning(tableOf({}, { ...facts(), subgroupSize: 32 }), store);
    expect(loadTuning(facts(), store)).toEqual(table);
    expect(loadTuning({ ...facts(), description: 'another' }, store)).toBeUndefined();
    for (const key of held.keys()) held.set(key, '{');
    expect(loadTuning(facts(), store)).toBeUndefined();
  });
});

describe('a tuning table as text', () => {
  const table: TuningTable = {
    ...tableOf({ [own]: 'block' }),
    ceiling: { gflops: 50, gbps: 20, launch: 5 },
  };

  it('comes back as it was', () => {
    expect(parseTable(JSON.stringify(table), 't.json')).toEqual(table);
    expect(parseTable(JSON.stringify(emptyTable(facts())), 't.json')).toEqual(emptyTable(facts()));
  });

  it('belongs to the device it was measured on', () => {
    expect(isTableOf(table, facts())).toBe(true);
    expect(isTableOf(table, { ...facts(), description: 'Acme 3001' })).toBe(false);
    expect(isTableOf(table, { ...facts(), kind: 'nvidia' })).toBe(false);
    expect(isTableOf(table, { ...facts(), subgroupSize: 32 })).toBe(false);
  });

  it.each([
    ['', 'it is not JSON'],
    ['{"format":"shadergrad-tuning"', 'it is not JSON'],
    ['null', 'its format is not "shadergrad-tuning"'],
    ['[]', 'its format is not "shadergrad-tuning"'],
    [JSON.stringify({ ...table, version: 2 }), 'its version is 2, and 1 is known'],
    [JSON.stringify({ ...table, device: {} }), '"device" must have kind, description and subgroupSize'],
    [JSON.stringify({ ...table, entries: null }), '"entries" is missing'],
    [
      JSON.stringify({ ...table, entries: { a: 'block' } }),
      'the entry "a" must have variant and milliseconds',
    ],
    [
      JSON.stringify({ ...table, entries: { a: { variant: 'x', milliseconds: { x: -1 } } } }),
      'the entry "a" has no time above 0 for x',
    ],
    [
      JSON.stringify({ ...table, ceiling: { gflops: 1 } }),
      '"ceiling" must have gflops, gbps and launch above 0',
    ],
  ])('%j is refused in one sentence', (text, what) => {
    expect(() => parseTable(text, 'my.json')).toThrow(
      `my.json is no tuning table: ${what}; delete it or make it anew with shadergrad tune.`,
    );
  });
});
