import type { StepTime } from './profile.js';

/** An event of the Chrome trace format that is used here; times in microseconds. */
export type TraceEvent =
  | {
      readonly ph: 'M';
      readonly name: 'process_name' | 'thread_name';
      readonly pid: number;
      readonly tid: number;
      readonly args: { readonly name: string };
    }
  | {
      readonly ph: 'X';
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args: Readonly<Record<string, string | number>>;
    };

/** A file that Perfetto and chrome://tracing open. */
export interface ChromeTrace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
}

/** Significant digits that a figure in the file has. */
const round = (value: number): number => Number(value.toPrecision(6));

/**
 * The kernels of one run on a timeline, one event a dispatch in the order of the plan.
 *
 * @param about facts on the run (adapter, versions, how it was timed), shown beside it
 */
export function chromeTrace(
  title: string,
  steps: readonly StepTime[],
  about: Readonly<Record<string, string>>,
): ChromeTrace {
  const place = { pid: 1, tid: 1 };
  const named = (name: 'process_name' | 'thread_name', text: string): TraceEvent => ({
    ph: 'M',
    name,
    ...place,
    args: { name: text },
  });
  return {
    traceEvents: [
      named('process_name', title),
      named('thread_name', 'kernels'),
      ...steps.map(({ label, kernel, variant, start, milliseconds, flops, bytes }, i): TraceEvent => {
        // A rate of nothing in no time is no rate.
        const rate = (work: number) => (milliseconds > 0 ? round(work / milliseconds / 1e6) : 0);
        return {
          ph: 'X',
          name: kernel,
          cat: label.split(' ')[0] ?? '',
          ...place,
          ts: round(start * 1000),
          dur: round(milliseconds * 1000),
          args: {
            op: label,
            variant,
            dispatch: i,
            GFLOP: round(flops / 1e9),
            bytes,
            'GFLOP/s': rate(flops),
            'GB/s': rate(bytes),
          },
        };
      }),
    ],
    displayTimeUnit: 'ms',
    otherData: about,
  };
}
