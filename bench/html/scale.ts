/** A logarithmic axis from data to pixels, with ticks at whole powers of ten and at 2 and 5 between where there is room. */
export interface LogScale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** An axis over all `values` (each above 0) and a little more, from pixel `from` to pixel `to`. */
export function logScale(values: readonly number[], from: number, to: number): LogScale {
  const low = Math.log10(Math.min(...values)) - 0.1;
  const high = Math.max(low + 0.5, Math.log10(Math.max(...values)) + 0.1);
  const ticks: number[] = [];
  const steps = high - low > 3 ? [1] : [1, 2, 5];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const step of steps) {
      const value = Number((step * 10 ** power).toPrecision(1));
      const place = Math.log10(value);
      if (place >= low && place <= high) ticks.push(value);
    }
  }
  return {
    low: 10 ** low,
    high: 10 ** high,
    ticks,
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  };
}
