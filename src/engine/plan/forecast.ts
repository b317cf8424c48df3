/** What a plan should take on a device: each op's time from what its kernel expects of the device's ceiling. */
import type { Ceiling } from '../tuning/table.js';
import type { Choice, Plan, PlanStep } from './types.js';

/** One op of a plan: its launches together. */
export interface OpForecast {
  readonly label: string;
  readonly op: string;
  /** Its launches; `main` is the one that does the most work. */
  readonly steps: readonly PlanStep[];
  readonly main: PlanStep;
  readonly choice: Choice | null;
  readonly flops: number;
  readonly bytes: number;
  /** What bounds it: operations over multiply-adds, or bytes over those of a copy. */
  readonly bound: 'multiply-add' | 'copy';
  /** Share of that ceiling which is expected, or was measured; above 1 where an algorithm needs fewer operations. */
  readonly share: number | null;
  /** Predicted, or measured where the tuning table has this very problem; null without a ceiling. */
  readonly milliseconds: number | null;
  readonly measured: boolean;
}

/** Share of the copy ceiling that kernels which only move data are held to (docs/bench.md). */
const COPY_SHARE = 0.7;

/** The ops of a plan in order. Without a ceiling nothing is predicted beyond the kernels' own shares. */
export function forecast(plan: Plan, ceiling: Ceiling | null): OpForecast[] {
  const groups = new Map<number, PlanStep[]>();
  for (const step of plan.steps) groups.set(step.group, [...(groups.get(step.group) ?? []), step]);
  return [...groups.values()].map((steps) => opForecast(steps, ceiling));
}

function opForecast(steps: readonly PlanStep[], ceiling: Ceiling | null): OpForecast {
  const main = steps.reduce((most, step) => (step.flops > most.flops ? step : most));
  const sum = (key: 'flops' | 'bytes') => steps.reduce((total, step) => total + step[key], 0);
  const flops = sum('flops');
  const bytes = sum('bytes');
  const choice = main.choice ?? null;
  const common = { label: main.label, op: main.op, steps, main, choice, flops, bytes };
  const time = (work: number, rate: number) => work / rate / 1e6;
  const launches = ((ceiling?.launch ?? 0) * steps.length) / 1000;
  if (!choice) {
    const milliseconds = ceiling && time(bytes, COPY_SHARE * ceiling.gbps) + launches;
    return { ...common, bound: 'copy', share: COPY_SHARE, milliseconds, measured: false };
  }
  const bound = 'multiply-add';
  if (choice.milliseconds !== undefined) {
    const share = ceiling && time(flops, ceiling.gflops) / choice.milliseconds;
    return { ...common, bound, share, milliseconds: choice.milliseconds, measured: true };
  }
  const share = choice.candidates.find(({ name }) => name === choice.variant)?.share ?? null;
  const milliseconds =
    ceiling && share !== null
      ? Math.max(time(flops, share * ceiling.gflops), time(bytes, ceiling.gbps)) + launches
      : null;
  return { ...common, bound, share, milliseconds, measured: false };
}
