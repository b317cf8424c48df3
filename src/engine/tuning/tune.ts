/** Measures the kernels that plans could choose from, on the device at hand, and makes a tuning table of it. */
import type { Device } from '../device.js';
import type { Candidate } from '../kernel.js';
import { numel } from '../kernel.js';
import { makePlan } from '../plan/plan.js';
import type { Choice, Plan, PlanOutput } from '../plan/types.js';
import { type HostArray, Program } from '../program/program.js';
import { Tensor } from '../tensor.js';
import { outvoted, type Sampled, sampleResult } from './agreement.js';
import { measureCeiling } from './measureCeiling.js';
import { Stopwatch } from './stopwatch.js';
import { emptyTable, isTableOf, type TuningEntry, type TuningTable } from './table.js';

/** A problem that was measured. */
export interface TuneProgress {
  /** Problems that are done, of how many. */
  readonly done: number;
  readonly total: number;
  readonly problem: string;
  readonly entry: TuningEntry;
  /** Kernels that could not be run or gave another result than most, with the reason. */
  readonly failures: Readonly<Record<string, string>>;
}

export interface TuneOptions {
  /** A table to go on with: its problems come last, and those that are not reached keep their entries. */
  readonly table?: TuningTable | null | undefined;
  /** Seconds after which no further problem is begun; no limit when left out. */
  readonly budget?: number | undefined;
  /** Asked between two measurements; true leaves the problem in progress out and ends. */
  readonly stopped?: () => boolean;
  /** Told after each problem, with the table so far: the time to save it. */
  readonly onProblem?: (progress: TuneProgress, table: TuningTable) => void;
}

export interface Tuned {
  readonly table: TuningTable;
  /** Problems measured now. */
  readonly measured: number;
  /** Problems that the budget or the stop left out. */
  readonly left: number;
}

/** A kernel this many times slower than the best after one run is not run again. */
const HOPELESS = 4;
/**
 * One whose expected share is this many times less than the best's, so that it would take more than LONG milliseconds,
 * is not run at all: GPUs end programs whose kernels run for seconds.
 */
const DOUBTFUL = 8;
const LONG = 200;
/** Measurements of each kernel, of which the median counts. */
const ROUNDS = 5;
/** Milliseconds that a measurement should take at least: short kernels run several times in it. */
const SPAN = 3;

/**
 * Measures each problem of `plans` for which there is more than one kernel: every kernel once, then those that have a
 * chance in turns, if their results agree. Problems that the table does not have come first, then those that cost most.
 * @throws GpuError where the device fails; a kernel that alone fails is passed over
 */
export async function tune(
  device: Device,
  plans: readonly Plan[],
  options: TuneOptions = {},
): Promise<Tuned> {
  const { budget = Number.POSITIVE_INFINITY, stopped = () => false, onProblem } = options;
  const begin = performance.now();
  const watch = new Stopwatch(device);
  try {
    const given = options.table && isTableOf(options.table, device.facts) ? options.table : null;
    let table = given ?? emptyTable(device.facts);
    const problems = problemsOf(plans, table);
    let measured = 0;
    if (problems.length > 0 && !table.ceiling && !stopped()) {
      table = { ...table, ceiling: await measureCeiling(device, watch) };
    }
    for (const choice of problems) {
      if (stopped() || performance.now() - begin > budget * 1000) break;
      const result = await measure(device, watch, choice, stopped);
      if (!result) break;
      measured++;
      const { problem } = choice;
      table = { ...table, entries: { ...table.entries, [problem]: result.entry } };
      onProblem?.({ done: measured, total: problems.length, problem, ...result }, table);
    }
    return { table, measured, left: problems.length - measured };
  } finally {
    watch.destroy();
  }
}

/** The distinct problems that have a choice, in the order of measuring. */
function problemsOf(plans: readonly Plan[], table: TuningTable): Choice[] {
  const found = new Map<string, { readonly choice: Choice; cost: number }>();
  for (const plan of plans) {
    for (const { choice, flops } of plan.steps) {
      if (!choice || able(choice).length < 2) continue;
      const known = found.get(choice.problem) ?? { choice, cost: 0 };
      known.cost += flops / shareOf(choice, choice.variant);
      found.set(choice.problem, known);
    }
  }
  const isKnown = ({ choice }: { choice: Choice }) => (Object.hasOwn(table.entries, choice.problem) ? 1 : 0);
  return [...found.values()]
    .sort((a, b) => isKnown(a) - isKnown(b) || b.cost - a.cost)
    .map(({ choice }) => choice);
}

/** Kernels that can run the problem, those that expect most first. */
function able({ candidates }: Choice): Candidate[] {
  return candidates
    .filter(({ share }) => share !== null)
    .sort((a, b) => (b.share as number) - (a.share as number));
}

function shareOf({ candidates }: Choice, variant: string): number {
  return candidates.find(({ name }) => name === variant)?.share || 1e-3;
}

interface Runner extends Sampled {
  readonly program: Program;
  /** Milliseconds of one run, by the first measurement. */
  readonly once: number;
  readonly times: number[];
}

/** Null where it was stopped. */
async function measure(
  device: Device,
  watch: Stopwatch,
  choice: Choice,
  stopped: () => boolean,
): Promise<{ entry: TuningEntry; failures: Record<string, string> } | null> {
  const runners: Runner[] = [];
  const failures: Record<string, string> = {};
  let best: { readonly time: number; readonly share: number } | null = null;
  try {
    for (const { name } of able(choice)) {
      if (stopped()) return null;
      const share = shareOf(choice, name);
      if (best && best.share > DOUBTFUL * share && best.time * (best.share / share) > LONG) continue;
      try {
        const { program, sample } = await prepare(device, choice, name);
        const run = () => watch.once((pass) => program.encode(pass));
        let once = await run();
        // What drivers leave for the first run is no part of it, but it is no large part either.
        if (!best || once < 2 * HOPELESS * best.time) once = await run();
        runners.push({ name, program, sample, once, times: [] });
        if (!best || once < best.time) best = { time: once, share };
      } catch (error) {
        device.check();
        failures[name] = error instanceof Error ? error.message : String(error);
      }
    }
    Object.assign(failures, outvoted(runners));
    const right = runners.filter(({ name }) => !Object.hasOwn(failures, name));
    const least = Math.min(...right.map(({ once }) => once));
    const worth = right.filter(({ once }) => once <= HOPELESS * least);
    for (let round = 0; round < ROUNDS && worth.length > 1; round++) {
      for (const { program, once, times } of worth) {
        if (stopped()) return null;
        const repeats = Math.min(100, Math.max(1, Math.ceil(SPAN / Math.max(once, 1e-3))));
        const time = await watch.once((pass) => {
          for (let i = 0; i < repeats; i++) program.encode(pass);
        });
        times.push(time / repeats);
      }
    }
    return { entry: entryOf(right, choice), failures };
  } finally {
    for (const { program } of runners) program.destroy();
  }
}

function entryOf(runners: readonly Runner[], choice: Choice): TuningEntry {
  const milliseconds: Record<string, number> = {};
  let variant = choice.variant;
  let least = Number.POSITIVE_INFINITY;
  for (const { name, once, times } of runners) {
    const time = Math.max(1e-6, times.length > 0 ? median(times) : once);
    milliseconds[name] = Number(time.toPrecision(4));
    if (time >= least) continue;
    least = time;
    variant = name;
  }
  return { variant, milliseconds };
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** The op alone with one of its kernels, on random values, and a part of what came of them. */
async function prepare(
  device: Device,
  choice: Choice,
  variant: string,
): Promise<{ readonly program: Program; readonly sample: Float32Array }> {
  const { op, output, attrs } = choice;
  const inputs = choice.inputs.map(({ shape, dtype }, i) => Tensor.input(`${i}`, shape, dtype));
  const y = Tensor.of(op, inputs, output.shape, attrs, output.dtype);
  const made = makePlan(new Map([['y', y]]), [], device.facts, {
    force: { [op.name]: variant },
    kernels: device.kernels,
    fuse: false,
    tuning: null,
  });
  // Little is read back, so there need be no room for all.
  const program = await Program.build(device, { ...made, outputs: [] });
  try {
    const values = made.inputs.map(({ name, shape, dtype }) => [name, randomValues(dtype, numel(shape))]);
    await program.run(Object.fromEntries(values) as Record<string, HostArray>);
    return { program, sample: await sampleResult(program, made.outputs[0] as PlanOutput) };
  } catch (error) {
    program.destroy();
    throw error;
  }
}

/** As activations are: neither zeros, which draw less power, nor anything that overflows. */
function randomValues(dtype: string, count: number): HostArray {
  if (dtype === 'u8') return new Uint8Array(count).map((_, i) => (i * 97) & 255);
  if (dtype === 'u32') return new Uint32Array(count);
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return values;
}
