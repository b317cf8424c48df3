import type { Ceiling } from '../tuning/table.js';
import { forecast, type OpForecast } from './forecast.js';
import type { Plan, PlanStep } from './types.js';

/** Bytes in the unit that suits them: `1.2 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

const HEAD = [
  '#',
  'op',
  'kernel',
  'variant',
  'chosen',
  'GFLOP',
  'MB',
  'share',
  'ms',
  'workgroups',
  'buffers (>written)',
];

function row(step: PlanStep, i: number, each: OpForecast): string[] {
  const main = step === each.main;
  const { share, milliseconds, measured, bound, choice } = each;
  return [
    `${i}`,
    step.label,
    step.shader.name,
    step.variant,
    main && choice ? choice.why : '',
    (step.flops / 1e9).toFixed(3),
    (step.bytes / 1e6).toFixed(2),
    main && share !== null ? `${(100 * share).toFixed(0)}%${bound === 'copy' ? ' copy' : ''}` : '',
    main && milliseconds !== null ? `${milliseconds.toPrecision(3)}${measured ? ' measured' : ''}` : '',
    step.workgroups.join('x'),
    step.bindings
      .map(({ access, buffer }) => `${access === 'read' ? '' : access === 'uniform' ? 'u' : '>'}${buffer}`)
      .join(' '),
  ];
}

/**
 * A plan as a table: each dispatch with its kernel, variant, work and buffers, then the memory. Beside an op's main
 * launch: why its kernel was chosen, the share of the ceiling that is expected (of multiply-adds, or of a copy), and,
 * with a ceiling, the time of all its launches.
 */
export function printPlan(plan: Plan, ceiling: Ceiling | null = null): string {
  const ops = forecast(plan, ceiling);
  const all = ops.flatMap((each) => each.steps.map((step) => [step, each] as const));
  const rows = all.map(([step, each], i) => row(step, i, each));
  const widths = HEAD.map((title, c) =>
    Math.max(title.length, ...rows.map((cells) => (cells[c] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => cell.padEnd(widths[c] as number))
      .join('  ')
      .trimEnd();
  const { memory } = plan;
  const times = ops.map(({ milliseconds }) => milliseconds);
  const total = times.reduce<number | null>((sum, t) => (sum === null || t === null ? null : sum + t), 0);
  return [
    line(HEAD),
    ...rows.map(line),
    '',
    `${plan.steps.length} dispatches, ${(plan.flops / 1e9).toFixed(2)} GFLOP, at least ${(plan.bytes / 1e6).toFixed(1)} MB moved${total === null ? '' : `, predicted ${total.toPrecision(3)} ms`}`,
    `transient memory ${bytesText(memory.transient)} in ${plan.buffers.filter((b) => b.role === 'transient').length} buffers, least possible ${bytesText(memory.least)} (${(memory.transient / Math.max(1, memory.least)).toFixed(3)} times)`,
    `parameters and optimiser state ${bytesText(memory.state)}, constants ${bytesText(memory.constant)}`,
  ].join('\n');
}

/** What {@link printPlan} prints, as plain JSON, with every buffer. */
export function planJson(plan: Plan, ceiling: Ceiling | null = null) {
  const { buffers, memory, flops, bytes } = plan;
  return {
    ops: forecast(plan, ceiling).map((each) => ({
      op: each.op,
      label: each.label,
      problem: each.choice?.problem ?? null,
      chosen: each.choice?.variant ?? null,
      why: each.choice?.why ?? null,
      candidates: each.choice?.candidates ?? [],
      flops: each.flops,
      bytes: each.bytes,
      bound: each.bound,
      share: each.share,
      milliseconds: each.milliseconds,
      measured: each.measured,
      dispatches: each.steps.map((step) => ({
        kernel: step.shader.name,
        variant: step.variant,
        workgroups: step.workgroups,
        flops: step.flops,
        bytes: step.bytes,
        bindings: step.bindings,
      })),
    })),
    buffers: buffers.map(({ id, role, bytes: size }) => ({ id, role, bytes: size })),
    memory,
    flops,
    bytes,
  };
}
