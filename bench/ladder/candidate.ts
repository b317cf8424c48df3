import { plan as makePlan } from '../../src/engine/compile.js';
import type { Device } from '../../src/engine/device.js';
import type { PlanOptions } from '../../src/engine/plan/plan.js';
import type { Plan } from '../../src/engine/plan/types.js';
import { Program } from '../../src/engine/program/program.js';
import { readParameters } from '../../src/engine/program/residence.js';
import type { Parameter } from '../../src/engine/tensor.js';
import type { Stopwatch } from '../kernel.js';
import { compare, type Sample, type Verdict } from './compare.js';
import type { LadderProblem } from './problem.js';

/** A problem's plan with one variant forced, and the parameters that it changes. */
export interface Planned {
  readonly plan: Plan;
  readonly state: Readonly<Record<string, Parameter>>;
}

/** @throws where the variant cannot run the problem on this device. */
export function planProblem(device: Device, problem: LadderProblem, options: PlanOptions): Planned {
  let state: Readonly<Record<string, Parameter>> = {};
  const build = () => {
    const made = problem.build();
    state = made.state ?? {};
    return made.outputs;
  };
  const plan = makePlan(device.facts, {}, build, { kernels: device.kernels, ...options });
  return { plan, state };
}

/** A kernel on a problem: checked once, and ready to be timed again and again. */
export class Candidate {
  private constructor(
    readonly name: string,
    readonly plan: Plan,
    readonly verdict: Verdict,
    /** The dispatches that are timed, as `shader (variant)`. */
    readonly kernels: readonly string[],
    private readonly program: Program,
    private readonly steps: readonly number[],
  ) {}

  /**
   * Compiles, runs once, compares every output with the reference, and makes the program that is timed: the same
   * without read-back.
   */
  static async prepare(
    device: Device,
    name: string,
    problem: LadderProblem,
    { plan, state }: Planned,
    samples: ReadonlyMap<string, Sample>,
    limit: number,
  ): Promise<Candidate> {
    const verdict = await check(device, problem, plan, state, samples, limit);
    const steps = plan.steps.flatMap(({ op }, i) =>
      !problem.timed || problem.timed.includes(op) ? [i] : [],
    );
    const program = await Program.build(device, { ...plan, outputs: [] });
    // Scalars are written by a run, and stay.
    await program.run({}, problem.scalars);
    const kernels = steps.map((i) => {
      const step = plan.steps[i];
      return `${step?.shader.name} (${step?.variant})`;
    });
    return new Candidate(name, plan, verdict, kernels, program, steps);
  }

  /** Milliseconds of one run, being the mean of `repeats` in one pass. */
  async time(watch: Stopwatch, repeats: number): Promise<number> {
    const total = await watch.once((pass) => {
      for (let i = 0; i < repeats; i++) this.program.encode(pass, this.steps);
    });
    return total / repeats;
  }

  destroy(): void {
    this.program.destroy();
  }
}

async function check(
  device: Device,
  problem: LadderProblem,
  plan: Plan,
  state: Readonly<Record<string, Parameter>>,
  samples: ReadonlyMap<string, Sample>,
  limit: number,
): Promise<Verdict> {
  const program = await Program.build(device, plan);
  try {
    const values = await program.run({}, problem.scalars);
    let worst: Verdict = { error: 0 };
    for (const [name, sample] of samples) {
      const parameter = state[name];
      const got = parameter ? (await readParameters([parameter]))[0] : values[name]?.data;
      const verdict = compare(got ?? [], sample, limit);
      const named = verdict.wrong && samples.size > 1 ? `${name}: ${verdict.wrong}` : verdict.wrong;
      // NaN is worse than anything.
      if (!(verdict.error <= worst.error)) worst = named ? { ...verdict, wrong: named } : verdict;
    }
    return worst;
  } finally {
    program.destroy();
  }
}
