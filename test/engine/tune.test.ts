import { beforeAll, describe, expect, it } from 'vitest';
import { plan } from '../../src/engine/compile.js';
import type { Device } from '../../src/engine/device.js';
import { grad } from '../../src/engine/grad.js';
import type { ForwardVariant } from '../../src/engine/kernels/conv2dForward.js';
import { joinKernels } from '../../src/engine/kernels/moreKernels.js';
import { conv2d } from '../../src/engine/ops/conv.js';
import { dropout } from '../../src/engine/ops/dropout.js';
import { sum } from '../../src/engine/ops/reduce.js';
import type { Choice, Plan } from '../../src/engine/plan/types.js';
import { Parameter } from '../../src/engine/tensor.js';
import { outvoted } from '../../src/engine/tuning/agreement.js';
import { emptyTable, parseTable, type TuningTable } from '../../src/engine/tuning/table.js';
import { tune } from '../../src/engine/tuning/tune.js';
import { testDevice } from '../support/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const w = new Parameter([8, 4, 3, 3], null);
const b = new Parameter([8], null);

/** Two problems that have several kernels on any device, one of them with everything fused that there is. */
function planOf(tuning: TuningTable | null, batch = 2): Plan {
  return plan(
    device.facts,
    { x: [batch, 4, 12, 9] },
    ({ x }) => {
      const y = dropout(conv2d(x, w, b, { padding: 1 }).relu(), 0.5, { training: true, stream: 0 });
      const [gw] = grad(sum(y.square()), [w]);
      return { y, gw: gw as NonNullable<typeof gw> };
    },
    { tuning, kernels: device.kernels },
  );
}

function choicesOf({ steps }: Plan): Choice[] {
  return [...new Set(steps.flatMap(({ choice }) => (choice ? [choice] : [])))];
}

const forward = 'conv2d 3x3s1p1 2x4x12x9x8';
const backward = 'conv2dWeightGrad 3x3s1p1 2x4x12x9x8';

describe('tuning', () => {
  it('measures each problem once and gives a table that plans choose by', async () => {
    const told: string[] = [];
    const { table, measured, left } = await tune(device, [planOf(null), planOf(null)], {
      onProblem: ({ problem, done, total, failures }, soFar) => {
        told.push(`${done}/${total} ${problem}`);
        expect(failures).toEqual({});
        expect(Object.keys(soFar.entries)).toHaveLength(done);
      },
    });
    expect([measured, left]).toEqual([2, 0]);
    expect(told.map((line) => line.slice(0, 4))).toEqual(['1/2 ', '2/2 ']);
    expect(Object.keys(table.entries).sort()).toEqual([forward, backward]);
    expect(parseTable(JSON.stringify(table), 'it')).toEqual(table);
    const { gflops, gbps, launch } = table.ceiling as NonNullable<TuningTable['ceiling']>;
    for (const rate of [gflops, gbps, launch]) expect(rate).toBeGreaterThan(0);
    const made = planOf(table);
    for (const choice of choicesOf(made)) {
      const entry = table.entries[choice.problem] as TuningTable['entries'][string];
      const able = choice.candidates.filter(({ share }) => share !== null).map(({ name }) => name);
      expect(able).toEqual(expect.arrayContaining(Object.keys(entry.milliseconds)));
      expect(Object.keys(entry.milliseconds).length).toBeGreaterThanOrEqual(2);
      const best = Math.min(...Object.values(entry.milliseconds));
      expect(entry.milliseconds[entry.variant]).toBe(best);
      expect(choice).toMatchObject({ why: 'tuned', variant: entry.variant, milliseconds: best });
    }
    expect(choicesOf(planOf(table, 4)).map(({ why }) => why)).toEqual(['near', 'near']);
  });

  it('keeps what was measured when it is stopped or its time is over', async () => {
    let problems = 0;
    const stop = await tune(device, [planOf(null)], {
      stopped: () => problems > 0,
      onProblem: () => void problems++,
    });
    expect([stop.measured, stop.left]).toEqual([1, 1]);
    expect(Object.keys(stop.table.entries)).toHaveLength(1);
    const over = await tune(device, [planOf(null)], { budget: 0, table: stop.table });
    expect([over.measured, over.left]).toEqual([0, 2]);
    expect(over.table.entries).toEqual(stop.table.entries);
  });

  it('goes on with what a table does not have, and only with a table of this device', async () => {
    const entries = { [backward]: { variant: 'direct', milliseconds: { direct: 1 } } };
    const order: string[] = [];
    const before: TuningTable = { ...emptyTable(device.facts), entries };
    const stopped = () => order.length > 0;
    const onProblem = ({ problem }: { problem: string }) => void order.push(problem);
    const { table } = await tune(device, [planOf(null)], { table: before, stopped, onProblem });
    expect(order).toEqual([forward]);
    expect(table.entries[backward]).toEqual(entries[backward]);
    const foreign = { ...before, device: { ...before.device, description: 'another' } };
    const anew = await tune(device, [planOf(null)], { table: foreign, budget: 0 });
    expect(anew.table.entries).toEqual({});
    expect(anew.table.device).toEqual(before.device);
  });

  it('does not take a kernel that is fast and wrong', async () => {
    const nothing: ForwardVariant = {
      name: 'nothing',
      supports: () => true,
      share: () => 1e-3,
      lower: () => [],
    };
    const { kernels } = device;
    const more = { conv2d: [nothing], conv2dInputGrad: [], conv2dWeightGrad: [] };
    Object.defineProperty(device, 'kernels', {
      value: kernels ? joinKernels(more, kernels) : more,
      configurable: true,
    });
    try {
      const told: Record<string, string>[] = [];
      const { table } = await tune(device, [planOf(null)], {
        onProblem: ({ problem, failures }) => void (problem === forward && told.push(failures)),
      });
      const { variant, milliseconds } = table.entries[forward] as TuningTable['entries'][string];
      expect(told).toEqual([{ nothing: expect.stringMatching(/^its result is not that of /) }]);
      expect(variant).not.toBe('nothing');
      expect(Object.keys(milliseconds)).not.toContain('nothing');
    } finally {
      Object.defineProperty(device, 'kernels', { value: kernels, configurable: true });
    }
  });

  it('has nothing to do where there is no choice', async () => {
    const none = await tune(device, [plan(device.facts, { x: [4] }, ({ x }) => ({ y: x.exp() }))]);
    expect(none).toEqual({ table: emptyTable(device.facts), measured: 0, left: 0 });
  });
});

describe('the vote on results', () => {
  const of = (...values: number[]) => Float32Array.from(values);
  const right = { name: 'right', sample: of(1, 2, 3) };

  it('leaves out what most do not say, and what has a NaN', () => {
    const near = { name: 'near', sample: of(1, 2.0001, 3) };
    const off = { name: 'off', sample: of(1, 2, 3.2) };
    const nan = { name: 'nan', sample: of(1, 2, Number.NaN) };
    const reason = 'its result is not that of near';
    expect(outvoted([off, right, nan, near])).toEqual({ off: reason, nan: reason });
    expect(outvoted([right, near])).toEqual({});
    expect(outvoted([])).toEqual({});
  });

  it('believes the plainest of two that differ', () => {
    const zeros = { name: 'zeros', sample: of(0, 0, 0) };
    expect(outvoted([zeros, right])).toEqual({ zeros: 'its result is not that of right' });
    expect(outvoted([right, zeros])).toEqual({ right: 'its result is not that of zeros' });
    expect(outvoted([zeros, { ...zeros, name: 'too' }])).toEqual({});
  });
});
