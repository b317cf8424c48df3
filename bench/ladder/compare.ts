import type { Expected } from './problem.js';

/** Multiply-adds that a reference of all elements may take: a second or two. */
const ALL = 4e8;
/** Multiply-adds of a sample, whose places lie far apart in memory: about a second. */
const SAMPLE = 1e8;

/** The elements that are checked, with what they must be. */
export interface Sample {
  readonly shape: readonly number[];
  /** Of how many elements this is a sample; it is all of them where it can be. */
  readonly count: number;
  readonly indices: Float64Array;
  readonly values: Float64Array;
}

/** What the comparison of a kernel's result with the reference says. */
export interface Verdict {
  /** Norm of the difference over norm of the reference; NaN where the result has one. */
  readonly error: number;
  /** In words, where the error is over the limit. */
  readonly wrong?: string;
}

/** The reference at every element, or, where that would take long, at the first, the last and evenly many between. */
export function sampleOf(expected: Expected, all = ALL, sample = SAMPLE): Sample {
  const count = expected.shape.reduce((a, b) => a * b, 1);
  const cost = Math.max(1, expected.cost);
  const most = Math.max(256, Math.floor(sample / cost));
  const indices =
    count <= Math.max(256, all / cost)
      ? Float64Array.from({ length: count }, (_, i) => i)
      : spread(count, most);
  return { shape: expected.shape, count, indices, values: indices.map((i) => expected.at(i)) };
}

/** `most` indices in rising order: both ends, and between them steps that fall on every column and row in turn. */
function spread(count: number, most: number): Float64Array {
  const end = Math.min(64, most >> 2);
  let step = Math.max(1, Math.ceil(count / (most - 2 * end)));
  while ([2, 3, 5, 7].some((factor) => step % factor === 0)) step++;
  const chosen = new Set<number>();
  for (let i = 0; i < end; i++) {
    chosen.add(i);
    chosen.add(count - 1 - i);
  }
  for (let i = 0; i < count; i += step) chosen.add(i);
  return Float64Array.from(chosen).sort();
}

/** How far `got` (all elements, row-major) is from the reference. */
export function compare(got: ArrayLike<number>, sample: Sample, limit: number): Verdict {
  const { indices, values, count, shape } = sample;
  let difference = 0;
  let norm = 0;
  for (let j = 0; j < indices.length; j++) {
    const e = values[j] as number;
    difference += ((got[indices[j] as number] as number) - e) ** 2;
    norm += e * e;
  }
  const error = Math.sqrt(difference) / (Math.sqrt(norm) || 1);
  if (error <= limit) return { error };
  // An element is wrong when it is off by more than the limit times the values' usual size.
  const usual = Math.sqrt(norm / indices.length) || 1;
  const off = (j: number): number => Math.abs((got[indices[j] as number] as number) - (values[j] as number));
  let wrong = 0;
  let first = -1;
  let worst = -1;
  for (let j = 0; j < indices.length; j++) {
    if (off(j) <= limit * usual) continue;
    wrong++;
    if (first < 0) first = j;
    // NaN compares false with everything, and nothing is worse.
    if (worst < 0 || !(off(j) <= off(worst))) worst = j;
  }
  const tell = (j: number): string => {
    const index = indices[j] as number;
    return `${place(index, shape)}: ${number(got[index] as number)} where ${number(values[j] as number)} is right`;
  };
  const among = indices.length === count ? `${count}` : `${indices.length} checked of ${count}`;
  return {
    error,
    wrong:
      `error ${number(error)} where ${number(limit)} is allowed; ${wrong} of ${among} elements are off, ` +
      `the first at ${tell(first)}${worst === first ? '' : `; the worst at ${tell(worst)}`}`,
  };
}

/** An index as people name it: `[0, 3, 7, 1] (element 497)`. */
function place(index: number, shape: readonly number[]): string {
  const where: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    where.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${where.join(', ')}] (element ${index})`;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
