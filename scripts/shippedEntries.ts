import type { Choice } from '../src/engine/plan/types.js';
import { choose } from '../src/engine/tuning/choose.js';
import { problemOf, type TuningEntry, type TuningTable } from '../src/engine/tuning/table.js';

/** A kernel this much slower than the best is not worth a line of a table that everyone downloads. */
const MARGIN = 1.05;

/**
 * The fewest entries of a measured table that lead to its choices, or to ones as good: what the kernels expect, and what
 * entries near by say, is left out.
 * @returns keys of problems by the kernel that is best for them, both in order
 */
export function shippedEntries(
  table: TuningTable,
  choices: readonly Pick<Choice, 'problem' | 'candidates'>[],
): Record<string, string[]> {
  const kept: Record<string, TuningEntry> = {};
  for (let grew = true; grew; ) {
    grew = false;
    for (const { problem: key, candidates } of choices) {
      const entry = table.entries[key];
      if (!entry || kept[key]) continue;
      const { op, problem } = problemOf(key);
      // A new table each time: tables are indexed once.
      const { variant } = choose(op, problem, candidates, { table: { ...table, entries: { ...kept } } });
      const time = (name: string) => entry.milliseconds[name] ?? Number.POSITIVE_INFINITY;
      if (time(variant) <= MARGIN * time(entry.variant)) continue;
      kept[key] = entry;
      grew = true;
    }
  }
  const lists: Record<string, string[]> = {};
  for (const key of Object.keys(kept).sort()) {
    const { variant } = kept[key] as TuningEntry;
    lists[variant] = [...(lists[variant] ?? []), key];
  }
  return Object.fromEntries(Object.entries(lists).sort(([a], [b]) => (a < b ? -1 : 1)));
}
