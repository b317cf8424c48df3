import type { Device } from '../../src/engine/device.js';
import { type StepTime, profile as stepTimes } from '../../src/engine/program/profile.js';
import type { Context, Suite } from '../context.js';
import { CASES } from '../context.js';
import { syntheticBatch } from '../peers/net.js';
import { Shadergrad } from '../peers/shadergrad.js';
import { aligned, figure, type Row } from '../report.js';
import { milliseconds, summarize } from '../timing.js';
import { type Ceiling, measureCeiling } from './ceiling.js';

/** What times kernels on a device, in words. */
export function timedBy({ facts }: Device): string {
  return facts.features.includes('timestamp-query')
    ? 'timestamp queries, a pass for each kernel'
    : 'the clock, each kernel submitted and waited for alone: this adapter has no timestamp queries';
}

/** Where the time of a training step goes. */
export const profile: Suite = {
  name: 'profile',
  about: 'share of a training step by kernel, with its rate and its share of the ceiling',
  async run(context) {
    const { ceiling } = await measureCeiling(context);
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      context.log(`${name}: profile of a training step ...`);
      rows.push(...(await profileStep(context, name, ceiling)));
    }
    return rows;
  },
  text: profileText,
};

async function profileStep(context: Context, caseName: keyof typeof CASES, ceiling: Ceiling): Promise<Row[]> {
  const { device, options } = context;
  const net = CASES[caseName];
  const ours = new Shadergrad(device, options.precision);
  try {
    const config = context.config(net);
    await ours.setup(config);
    const batch = syntheticBatch(net);
    await ours.trainStep(batch);
    const program = await ours.trainProgram();
    const inputs = { image: batch.image, mask: batch.mask };
    const scalars = { lr: config.lr, momentum: config.momentum };
    await stepTimes(program, inputs, scalars);
    const profiles: StepTime[][] = [];
    const wholes: number[] = [];
    for (let run = 0; run < options.runs; run++) {
      profiles.push(await stepTimes(program, inputs, scalars));
      wholes.push(await milliseconds(() => ours.trainStep(batch)));
    }
    const whole = summarize(wholes);
    const base = { suite: 'profile', case: caseName, unit: 'ms' };
    const { low, high, runs } = whole;
    const by = timedBy(device);
    const medians = medianTimes(profiles);
    const total = medians.reduce((sum, { milliseconds: ms }) => sum + ms, 0);
    return [
      { ...base, what: 'whole step, as it runs', value: whole.median, low, high, runs },
      { ...base, what: 'sum of its kernels', value: total, note: `timed by ${by}` },
      ...grouped(medians).flatMap((group) => groupRows(group, caseName, total, ceiling)),
    ];
  } finally {
    await ours.dispose();
  }
}

/** Each dispatch's median over the runs. */
function medianTimes(profiles: readonly (readonly StepTime[])[]): StepTime[] {
  return (profiles[0] ?? []).map((step, i) => ({
    ...step,
    milliseconds: summarize(profiles.map((run) => run[i]?.milliseconds ?? 0)).median,
  }));
}

interface Group {
  readonly op: string;
  readonly kernel: string;
  milliseconds: number;
  flops: number;
  bytes: number;
  dispatches: number;
}

/** Dispatches of one kernel for one op together, the longest first. */
function grouped(steps: readonly StepTime[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { label, kernel, milliseconds: ms, flops, bytes } of steps) {
    const op = label.split(' ')[0] ?? '';
    const key = `${op} ${kernel}`;
    const group = groups.get(key) ?? { op, kernel, milliseconds: 0, flops: 0, bytes: 0, dispatches: 0 };
    group.milliseconds += ms;
    group.flops += flops;
    group.bytes += bytes;
    group.dispatches++;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function groupRows(group: Group, caseName: string, total: number, { gflops, gbps }: Ceiling): Row[] {
  const { op, kernel, milliseconds: ms, flops, bytes, dispatches } = group;
  const base = { suite: 'profile', case: caseName, op, variant: kernel, count: dispatches, flops, bytes };
  const what = `${op}, ${kernel}`;
  const least = Math.max(flops / gflops, bytes / gbps) / 1e6;
  return [
    { ...base, what: `${what}: time`, value: ms, unit: 'ms' },
    { ...base, what: `${what}: share of the step`, value: ms / total, unit: '' },
    { ...base, what: `${what}: rate`, value: flops / ms / 1e6, unit: 'GFLOP/s' },
    { ...base, what: `${what}: bandwidth`, value: bytes / ms / 1e6, unit: 'GB/s' },
    { ...base, what: `${what}: share of the ceiling`, value: least / ms, unit: '' },
  ];
}

function profileText(rows: readonly Row[]): string {
  const parts: string[] = [];
  for (const name of new Set(rows.map((row) => row.case))) {
    const own = rows.filter((row) => row.case === name);
    const figureOf = (what: string): number => own.find((row) => row.what === what)?.value ?? Number.NaN;
    const whole = own.find(({ what }) => what.startsWith('whole step'))?.value ?? Number.NaN;
    const sum = own.find(({ what }) => what.startsWith('sum of'));
    const times = own.filter(({ op, what }) => op !== undefined && what.endsWith(': time'));
    const lines = times.map(({ op, variant, count, value }) => {
      const key = `${op}, ${variant}`;
      return [
        op ?? '',
        variant ?? '',
        String(count),
        figure(value ?? Number.NaN),
        `${figure(100 * figureOf(`${key}: share of the step`))}%`,
        figure(figureOf(`${key}: rate`)),
        figure(figureOf(`${key}: bandwidth`)),
        `${figure(100 * figureOf(`${key}: share of the ceiling`))}%`,
      ];
    });
    const head = ['op', 'kernel', 'dispatches', 'ms', 'of step', 'GFLOP/s', 'GB/s', 'of ceiling'];
    parts.push(
      `${name}: a training step takes ${figure(whole)} ms; its kernels one by one ${figure(sum?.value ?? Number.NaN)} ms, ${sum?.note ?? ''}\n${aligned(head, lines, [2, 3, 4, 5, 6, 7])}`,
    );
  }
  return parts.join('\n\n');
}
