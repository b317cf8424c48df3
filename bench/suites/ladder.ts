import type { Plan } from '../../src/engine/plan/types.js';
import type { CaseName, Context, LadderOptions, Suite } from '../context.js';
import { CASES } from '../context.js';
import { Stopwatch } from '../kernel.js';
import { Candidate, planProblem } from '../ladder/candidate.js';
import { sampleOf } from '../ladder/compare.js';
import { ladderOf, ladders } from '../ladder/index.js';
import type { Ladder, LadderLayer } from '../ladder/problem.js';
import { ladderText } from '../ladder/text.js';
import type { Row } from '../report.js';
import { type Sample, summarize } from '../timing.js';
import { type Ceiling, measureCeiling } from './ceiling.js';

/** Largest error that f32 kernels may have: Winograd's F(4x4,3x3) passes, a forgotten tap does not. */
const LIMIT = 1e-4;
/** The name of the only step of a ladder that has no variants. */
const ONLY = 'plan';
/** A run longer than this, in milliseconds, is taken once. */
const SLOW = 10_000;

/** Every step of the ladders at the net's layer shapes. */
export const ladder: Suite = {
  name: 'ladder',
  about:
    "ladder OP...: every kernel of an op at the U-Net's layer shapes, with its error and its share of the ceiling",
  async run(context) {
    const { ladder: options = { ops: [] } } = context.options;
    const chosen = options.ops.length === 0 ? ladders : options.ops.map(ladderNamed);
    const { ceiling } = await measureCeiling(context);
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      for (const each of chosen) rows.push(...(await runLadder(context, name, each, options, ceiling)));
    }
    return rows;
  },
  text: ladderText,
};

export function ladderNamed(name: string): Ladder {
  const found = ladderOf(name);
  if (!found) {
    throw new RangeError(`There is no ladder "${name}"; there are ${ladders.map((l) => l.name).join(', ')}.`);
  }
  return found;
}

async function runLadder(
  context: Context,
  caseName: CaseName,
  { name: op, op: engineOp, variants, layers }: Ladder,
  options: LadderOptions,
  ceiling: Ceiling,
): Promise<Row[]> {
  const all = layers(CASES[caseName]);
  const wanted = all.filter(({ name }) => options.layer === undefined || name.includes(options.layer));
  if (wanted.length === 0) {
    throw new RangeError(
      `No layer of ${op} has "${options.layer}" in its name; there are ${all.map(({ name }) => name).join('; ')}.`,
    );
  }
  const steps = (variants.length > 0 ? variants : [ONLY]).filter(
    (name) => options.variants === undefined || options.variants.includes(name),
  );
  const rows: Row[] = [];
  for (const layer of wanted) {
    context.log(`${caseName}: ${op} ${layer.name} ...`);
    rows.push(...(await runLayer(context, caseName, op, engineOp, layer, steps, ceiling)));
  }
  return rows;
}

async function runLayer(
  context: Context,
  caseName: CaseName,
  op: string,
  engineOp: string,
  layer: LadderLayer,
  variants: readonly string[],
  ceiling: Ceiling,
): Promise<Row[]> {
  const { device } = context;
  const problem = layer.problem();
  const samples = new Map(Object.entries(problem.expected).map(([name, e]) => [name, sampleOf(e)]));
  const candidates: Candidate[] = [];
  const failures = new Map<string, string>();
  const watch = new Stopwatch(device);
  try {
    for (const name of variants) {
      try {
        const force = name === ONLY ? {} : { force: { [engineOp]: name } };
        const planned = planProblem(device, problem, force);
        candidates.push(await Candidate.prepare(device, name, problem, planned, samples, LIMIT));
      } catch (error) {
        device.check();
        failures.set(name, (error as Error).message);
      }
    }
    const own = planProblem(device, problem, {});
    const chosen = candidates.find(({ plan }) => sameKernels(plan, own.plan))?.name;
    const times = await timeAll(context, watch, candidates);
    const base = (variant: string) => ({
      suite: 'ladder',
      case: caseName,
      op,
      layer: layer.name,
      count: layer.count,
      variant,
      flops: layer.flops,
      bytes: layer.bytes,
      ...(variant === chosen && variants.length > 1 ? { chosen: true } : {}),
    });
    return variants.flatMap((variant): Row[] => {
      const candidate = candidates.find(({ name }) => name === variant);
      const what = `${op} ${layer.name}, ${variant}`;
      if (!candidate) {
        const note = `does not run: ${failures.get(variant)}`;
        return [{ ...base(variant), what: `${what}: time`, value: null, unit: 'ms', note }];
      }
      return figures(layer, ceiling, times.get(candidate) as Sample, candidate).map(
        ({ what: which, ...row }) => ({ ...base(variant), what: `${what}: ${which}`, ...row }),
      );
    });
  } finally {
    for (const candidate of candidates) candidate.destroy();
    watch.destroy();
  }
}

function sameKernels(a: Plan, b: Plan): boolean {
  const kernels = ({ steps }: Plan): string =>
    steps.map(({ shader, variant }) => `${shader.name} ${variant}`).join();
  return kernels(a) === kernels(b);
}

/** In turns, so that whatever else the machine does falls on all alike. */
async function timeAll(
  context: Context,
  watch: Stopwatch,
  candidates: readonly Candidate[],
): Promise<Map<Candidate, Sample>> {
  const target = context.device.facts.software ? 20 : 3;
  const repeats = new Map<Candidate, number>();
  const times = new Map<Candidate, number[]>();
  for (const candidate of candidates) {
    const once = await candidate.time(watch, 1);
    repeats.set(candidate, Math.min(64, Math.max(1, Math.round(target / Math.max(once, 1e-3)))));
    times.set(candidate, once > SLOW ? [once] : []);
  }
  for (let round = 0; round < context.options.runs; round++) {
    for (const [candidate, list] of times) {
      if ((list[0] ?? 0) > SLOW) continue;
      list.push(await candidate.time(watch, repeats.get(candidate) as number));
    }
  }
  return new Map([...times].map(([candidate, list]) => [candidate, summarize(list)]));
}

function figures(
  { flops, bytes }: LadderLayer,
  { gflops, gbps }: Ceiling,
  time: Sample,
  { verdict, kernels }: Candidate,
): Pick<Row, 'what' | 'value' | 'unit' | 'low' | 'high' | 'runs' | 'note' | 'kernels'>[] {
  const rate = (work: number) => ({
    value: work / time.median / 1e6,
    low: work / time.high / 1e6,
    high: work / time.low / 1e6,
  });
  // The least time that the device could take for the arithmetic and for the bytes, whichever is longer.
  const least = Math.max(flops / gflops, bytes / gbps) / 1e6;
  const { runs } = time;
  const spread = runs > 1 ? { low: time.low, high: time.high, runs } : { runs };
  return [
    { what: 'time', value: time.median, unit: 'ms', ...spread, kernels },
    { what: 'rate', unit: 'GFLOP/s', ...rate(flops), runs },
    { what: 'bandwidth', unit: 'GB/s', ...rate(bytes), runs },
    { what: 'share of the ceiling', value: least / time.median, unit: '' },
    {
      what: 'error',
      value: verdict.error,
      unit: 'relative',
      ...(verdict.wrong ? { note: `WRONG: ${verdict.wrong}` } : {}),
    },
  ];
}
