import type { Plan } from './types.js';

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

/** A plan as a table: each dispatch with its kernel, variant, work and buffers, then the memory. */
export function printPlan(plan: Plan): string {
  const rows = plan.steps.map((step, i) => [
    `${i}`,
    step.label,
    step.shader.name,
    step.variant,
    step.workgroups.join('x'),
    (step.flops / 1e9).toFixed(3),
    (step.bytes / 1e6).toFixed(2),
    step.bindings
      .map(({ access, buffer }) => `${access === 'read' ? '' : access === 'uniform' ? 'u' : '>'}${buffer}`)
      .join(' '),
  ]);
  const head = ['#', 'op', 'kernel', 'variant', 'workgroups', 'GFLOP', 'MB', 'buffers (>written)'];
  const widths = head.map((title, c) =>
    Math.max(title.length, ...rows.map((row) => (row[c] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => cell.padEnd(widths[c] as number))
      .join('  ')
      .trimEnd();
  const { memory } = plan;
  return [
    line(head),
    ...rows.map(line),
    '',
    `${plan.steps.length} dispatches, ${(plan.flops / 1e9).toFixed(2)} GFLOP, at least ${(plan.bytes / 1e6).toFixed(1)} MB moved`,
    `transient memory ${bytesText(memory.transient)} in ${plan.buffers.filter((b) => b.role === 'transient').length} buffers, least possible ${bytesText(memory.least)} (${(memory.transient / Math.max(1, memory.least)).toFixed(3)} times)`,
    `parameters and optimiser state ${bytesText(memory.state)}, constants ${bytesText(memory.constant)}`,
  ].join('\n');
}
