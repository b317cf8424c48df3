/** Repeated timings of one thing, in milliseconds. */
export interface Sample {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

export function summarize(times: readonly number[]): Sample {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (i: number): number => sorted[i] as number;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, low: at(0), high: at(sorted.length - 1), runs: sorted.length };
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Times several contestants in turns (a, b, c, a, b, c, ...), so that whatever else the machine does falls on all alike.
 * `runs` rounds, each contestant warmed up by the caller.
 */
export async function interleave<K extends string>(
  contestants: ReadonlyMap<K, () => Promise<unknown>>,
  runs: number,
): Promise<Map<K, Sample>> {
  const times = new Map<K, number[]>([...contestants.keys()].map((key) => [key, []]));
  for (let round = 0; round < runs; round++) {
    for (const [key, work] of contestants) times.get(key)?.push(await milliseconds(work));
  }
  return new Map([...times].map(([key, list]) => [key, summarize(list)]));
}
