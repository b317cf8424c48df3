import type { Precision } from '../src/unet/config.js';

/** One figure, beside a peer's where one ran. */
export interface Row {
  readonly suite: string;
  readonly case: string;
  readonly what: string;
  /** Ours; absent where only the peer could run. */
  readonly value: number | null;
  readonly unit: string;
  readonly peer?: string;
  readonly peerValue?: number;
  /** How many times as fast (or as small) as the peer. */
  readonly ratio?: number;
  /** Least and greatest of the runs that `value` is the median of, and the same for the peer. */
  readonly low?: number;
  readonly high?: number;
  readonly peerLow?: number;
  readonly peerHigh?: number;
  readonly runs?: number;
  readonly note?: string;
  /** Of a kernel on a layer: the op, the layer with its sizes and how often the net has it, and the step of the ladder. */
  readonly op?: string;
  readonly layer?: string;
  readonly count?: number;
  readonly variant?: string;
  /** Its dispatches, as `file (variant)`. */
  readonly kernels?: readonly string[];
  /** True for the variant that the plan takes by itself. */
  readonly chosen?: boolean;
  /** Floating-point operations of the plain algorithm, and the least bytes it must move. */
  readonly flops?: number;
  readonly bytes?: number;
}

export interface Report {
  readonly adapter: string;
  /** True where the adapter runs on the CPU. */
  readonly software: boolean;
  /** Of our own programs; f32 where it is left out. */
  readonly precision?: Precision;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly date: string;
  readonly rows: readonly Row[];
}

/** The file that `--json` writes. */
export function reportText(report: Report): string {
  return `${JSON.stringify(report, null, 1)}\n`;
}

/** Three or four significant figures; an exponent only below a ten-thousandth. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toString();
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  if (size === 0) return '0';
  return size < 1e-4 ? value.toExponential(1) : value.toFixed(2 - Math.floor(Math.log10(size)));
}

const COLUMNS = [
  'suite',
  'case',
  'what',
  'value',
  'spread',
  'unit',
  'peer',
  'peer value',
  'peer spread',
  'ratio',
] as const;
const RIGHT = new Set<string>(['value', 'spread', 'peer value', 'peer spread', 'ratio']);

/** The rows as an aligned table, with notes below. */
export function table(rows: readonly Row[]): string {
  const spread = (low?: number, high?: number): string =>
    low === undefined || high === undefined ? '' : `${figure(low)}..${figure(high)}`;
  const cells = rows.map((row) => [
    row.suite,
    row.case,
    row.what,
    row.value === null ? '-' : figure(row.value),
    spread(row.low, row.high),
    row.unit,
    row.peer ?? '',
    row.peerValue === undefined ? '' : figure(row.peerValue),
    spread(row.peerLow, row.peerHigh),
    row.ratio === undefined ? '' : `${figure(row.ratio)}x`,
  ]);
  const right = COLUMNS.flatMap((name, i) => (RIGHT.has(name) ? [i] : []));
  const notes = [...new Set(rows.flatMap(({ note, peer }) => (note ? [`${peer ?? 'note'}: ${note}`] : [])))];
  return [aligned(COLUMNS, cells, right), ...notes.map((note) => `* ${note}`)].join('\n');
}

/** Lines in columns, those of `right` (by index) to the right. */
export function aligned(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const widths = head.map((name, i) => Math.max(name.length, ...lines.map((line) => (line[i] ?? '').length)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (right.includes(i) ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), ...lines.map(line)].join('\n');
}
