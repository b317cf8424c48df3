import type { Choice } from '../../src/engine/plan/types.js';
import type { CaseName, Context, LadderOptions, Suite } from '../context.js';
import { CASES } from '../context.js';
import { Stopwatch } from '../kernel.js';
import { Candidate, planProblem } from '../ladder/candidate.js';
import { type Sample as Reference, sampleOf } from '../ladder/compare.js';
import { ladderOf, ladders } from '../ladder/index.js';
import type { Ladder, LadderLayer, LadderProblem } from '../ladder/problem.js';
import { ladderText, UNFIT } from '../ladder/text.js';
import { checkModule, KernelError, likeOf, swapKernel, toleranceOf, wgslOf } from '../ladder/userKernel.js';
import type { Row } from '../report.js';
import { type Sample, summarize } from '../timing.js';
import { type Ceiling, measureCeiling } from './ceiling.js';

/** Largest error that f32 kernels may have: Winograd's F(4x4,3x3) passes, a forgotten tap does not. */
const LIMIT = 1e-4;
/** The name of the only step of a ladder whose op has one kernel for each problem. */
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
    return runLadders(context, options);
  },
  text: ladderText,
};

/** As the suite `ladder`, with other options than the context's: for one run after the other. */
export async function runLadders(context: Context, options: LadderOptions): Promise<Row[]> {
  const chosen = options.ops.length === 0 ? ladders : options.ops.map(ladderNamed);
  const work = context.options.cases.flatMap((name) =>
    chosen.flatMap((each) => layersOf(context, each, name, options).map((layer) => ({ name, each, layer }))),
  );
  // A kernel that does not compile is told of before anything is measured.
  const first = work[0];
  if (options.kernel && first) await planKernel(context, first.each, first.layer.problem(), options);
  const { ceiling } = await measureCeiling(context);
  const rows: Row[] = [];
  for (const { name, each, layer } of work) {
    context.log(`${name}: ${each.name} ${layer.name} ...`);
    rows.push(...(await runLayer(context, name, each, layer, options, ceiling)));
  }
  return rows;
}

/** @throws RangeError where there is no such ladder. */
export function ladderNamed(name: string): Ladder {
  const found = ladderOf(name);
  if (!found) {
    throw new RangeError(`There is no ladder "${name}"; there are ${ladders.map((l) => l.name).join(', ')}.`);
  }
  return found;
}

function layersOf(
  { options: { precision } }: Context,
  { name: op, layers }: Ladder,
  caseName: CaseName,
  { layer: text }: LadderOptions,
): LadderLayer[] {
  const all = layers(CASES[caseName], precision);
  const wanted = all.filter(({ name }) => text === undefined || name.includes(text));
  if (wanted.length > 0) return wanted;
  throw new RangeError(
    `No layer of ${op} has "${text}" in its name; there are ${all.map(({ name }) => name).join('; ')}.`,
  );
}

/** A step of a ladder as it will run, or why it does not. */
interface Step {
  readonly name: string;
  readonly prepare: () => Promise<Candidate>;
}

/** What the plan would choose among, from the plainest on. */
export function choiceOf(context: Context, { op }: Ladder, problem: LadderProblem): Choice | undefined {
  return planProblem(context.device, problem, {}).plan.steps.find(({ choice }) => choice?.op.name === op)
    ?.choice;
}

/** Their names, from the plainest on. */
export const variantsOf = (choice: Choice | undefined): string[] =>
  choice ? choice.candidates.map(({ name }) => name) : [ONLY];

/** The plan of a layer's problem with one variant forced. @throws where the variant cannot run it on this device */
export function planVariant(context: Context, { op }: Ladder, problem: LadderProblem, variant: string) {
  return planProblem(context.device, problem, variant === ONLY ? {} : { force: { [op]: variant } });
}

/** The user's kernel in the plan of the variant that it is like, compiled. */
async function planKernel(context: Context, each: Ladder, problem: LadderProblem, { kernel }: LadderOptions) {
  if (!kernel) throw new KernelError('There is no kernel.');
  const choice = choiceOf(context, each, problem);
  const variants = variantsOf(choice);
  const { variant, shader } = likeOf(kernel, variants);
  // A file is looked for in every variant that runs.
  const able = choice?.candidates.filter(({ share }) => share !== null).map(({ name }) => name) ?? variants;
  const among = variant === undefined ? able : [variant];
  if (variant !== undefined && !able.includes(variant)) {
    throw new Error(`it is like ${variant}, which cannot run this problem on this device`);
  }
  if (among.length === 0) throw new Error('no variant runs this problem on this device');
  const plans = among.map((name) => planVariant(context, each, problem, name));
  const { planned, step } = swapKernel(plans, kernel, shader);
  await checkModule(context.device, step);
  return planned;
}

async function runLayer(
  context: Context,
  caseName: CaseName,
  each: Ladder,
  layer: LadderLayer,
  options: LadderOptions,
  ceiling: Ceiling,
): Promise<Row[]> {
  const { device } = context;
  const { problem, references } = dataOf(context, `${caseName} ${each.name} ${layer.name}`, layer);
  const choice = choiceOf(context, each, problem);
  const { kernel } = options;
  const able = (name: string): boolean =>
    choice?.candidates.every((candidate) => candidate.name !== name || candidate.share !== null) ?? true;
  const { limit: right = LIMIT } = problem;
  const steps: Step[] = variantsOf(choice)
    .filter((name) => options.variants === undefined || options.variants.includes(name))
    .map((name) => ({
      name,
      prepare: async () => {
        if (!able(name)) throw new Error(UNFIT);
        const planned = planVariant(context, each, problem, name);
        return Candidate.prepare(device, name, problem, planned, references, right);
      },
    }));
  if (kernel) {
    steps.push({
      name: kernel.name,
      prepare: async () => {
        const limit = toleranceOf(kernel, right);
        const planned = await planKernel(context, each, problem, options);
        return Candidate.prepare(device, kernel.name, problem, planned, references, limit);
      },
    });
  }
  const candidates: Candidate[] = [];
  const failures = new Map<string, string>();
  const watch = new Stopwatch(device);
  try {
    for (const { name, prepare } of steps) {
      try {
        const candidate = await prepare();
        candidates.push(candidate);
        if (!kernel || name === kernel.name) printModules(caseName, each, layer, candidate, options);
      } catch (error) {
        if (error instanceof KernelError) throw error;
        device.check();
        failures.set(name, (error as Error).message);
      }
    }
    const times = await timeAll(context, watch, candidates);
    const base = (variant: string) => ({
      suite: 'ladder',
      case: caseName,
      op: each.name,
      layer: layer.name,
      count: layer.count,
      variant,
      flops: layer.flops,
      bytes: layer.bytes,
      ...(variant === choice?.variant ? { chosen: true } : {}),
    });
    return steps.flatMap(({ name: variant }): Row[] => {
      const candidate = candidates.find(({ name }) => name === variant);
      const what = `${each.name} ${layer.name}, ${variant}`;
      if (!candidate) {
        const why = failures.get(variant) ?? '';
        const note = why === UNFIT ? UNFIT : `does not run: ${why}`;
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

/** The final WGSL, where it was asked for: of the user's kernel alone where there is one. */
function printModules(
  caseName: CaseName,
  each: Ladder,
  layer: LadderLayer,
  { name, plan }: Candidate,
  { kernel, print }: LadderOptions,
): void {
  if (!print) return;
  for (const step of plan.steps) {
    if (kernel && step.shader.name !== kernel.name) continue;
    const title = `${caseName} ${each.name}, ${layer.name}, ${name}: ${step.shader.name}, ${step.workgroups.join(' x ')} workgroups`;
    print(`// ${title}\n${wgslOf(step).trim()}\n`);
  }
}

interface LayerData {
  readonly problem: LadderProblem;
  readonly references: ReadonlyMap<string, Reference>;
}

/** Data and references of the last few layers, since a kernel that is being written runs on the same ones again. */
const kept = new WeakMap<Context, Map<string, LayerData>>();
const KEPT = 4;

function dataOf(context: Context, key: string, layer: LadderLayer): LayerData {
  let cache = kept.get(context);
  if (!cache) {
    cache = new Map();
    kept.set(context, cache);
  }
  let data = cache.get(key);
  if (!data) {
    const problem = layer.problem();
    const references = new Map(Object.entries(problem.expected).map(([name, e]) => [name, sampleOf(e)]));
    data = { problem, references };
    cache.set(key, data);
    const oldest = cache.keys().next().value;
    if (cache.size > KEPT && oldest !== undefined) cache.delete(oldest);
  }
  return data;
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
