/** The choice between kernels: a pure function of what was forced, the tuning table and what the kernels expect. */
import { fail } from '../errors.js';
import type { Candidate, Problem } from '../kernel.js';
import { namedIn, type TuningTable } from './table.js';

/** Why a kernel was chosen: the caller, the table's own entry, an entry near by, or the greatest expected share. */
export type Why = 'forced' | 'tuned' | 'near' | 'expected';

export interface Chosen {
  readonly variant: string;
  readonly why: Why;
}

export interface Rules {
  readonly forced?: string | undefined;
  readonly table?: TuningTable | null | undefined;
}

/**
 * The forced kernel where it can run, else what the table names for the problem or for one near it, where that can run,
 * else the one of the greatest expected share. A table's unknown names are passed over.
 * @throws ShaderGradError where no kernel of the forced name is there, or none can run the problem
 */
export function choose(
  op: string,
  problem: Problem,
  candidates: readonly Candidate[],
  { forced, table }: Rules,
): Chosen {
  const able = candidates.filter(({ share }) => share !== null);
  const can = (name: string) => able.some((candidate) => candidate.name === name);
  if (forced !== undefined) {
    if (!candidates.some(({ name }) => name === forced))
      fail(`${op}: no variant '${forced}'; there are ${candidates.map(({ name }) => name).join(', ')}.`);
    if (can(forced)) return { variant: forced, why: 'forced' };
  }
  const named = table ? namedIn(table, op, problem).find(({ variant }) => can(variant)) : undefined;
  if (named) return { variant: named.variant, why: named.exact ? 'tuned' : 'near' };
  let best: Candidate | undefined;
  for (const candidate of able)
    if (!best || (candidate.share as number) > (best.share as number)) best = candidate;
  if (!best) fail(`${op}: no variant can run this problem (${problem.form} ${problem.sizes.join('x')}).`);
  return { variant: best.name, why: 'expected' };
}
