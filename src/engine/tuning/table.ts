/** What was measured on a device, as plain JSON: which kernel is best for which problem. */
import { fail } from '../errors.js';
import { getOrMake } from '../getOrMake.js';
import type { DeviceFacts, Problem } from '../kernel.js';

/** One measured problem. */
export interface TuningEntry {
  /** The kernel that was fastest. */
  readonly variant: string;
  /** Milliseconds of each kernel that was tried, by name; empty in the tables that ship. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** What bounds every kernel on a device. */
export interface Ceiling {
  /** Multiply-adds (two operations each) a second, in units of 1e9. */
  readonly gflops: number;
  /** Bytes that a copy reads and writes a second, in units of 1e9. */
  readonly gbps: number;
  /** Microseconds that a dispatch costs beyond its work. */
  readonly launch: number;
}

/** The device a table was measured on: another driver or another card needs a table of its own. */
export interface TunedDevice {
  readonly kind: string;
  readonly description: string;
  /** Lanes of a subgroup; null where they vary or there are none. */
  readonly subgroupSize: number | null;
}

export interface TuningTable {
  readonly format: 'shadergrad-tuning';
  readonly version: 1;
  readonly device: TunedDevice;
  readonly ceiling?: Ceiling;
  /** By {@link problemKey}. */
  readonly entries: Readonly<Record<string, TuningEntry>>;
}

export function tunedDevice({ kind, description, subgroupSize }: DeviceFacts): TunedDevice {
  return { kind, description, subgroupSize: subgroupSize ?? null };
}

/** True where the table was measured on this very device. */
export function isTableOf({ device }: TuningTable, facts: DeviceFacts): boolean {
  const own = tunedDevice(facts);
  return (
    device.kind === own.kind &&
    device.description === own.description &&
    device.subgroupSize === own.subgroupSize
  );
}

export function emptyTable(facts: DeviceFacts): TuningTable {
  return { format: 'shadergrad-tuning', version: 1, device: tunedDevice(facts), entries: {} };
}

/** `conv2d 3x3s1p1 4x16x128x128x16`: what an entry of a table is found by. */
export function problemKey(op: string, { form, sizes }: Problem): string {
  return `${op} ${form} ${sizes.join('x')}`;
}

/** What {@link problemKey} made a key of. */
export function problemOf(key: string): { readonly op: string; readonly problem: Problem } {
  const [op = '', form = '', sizes = ''] = key.split(' ');
  return { op, problem: { form, sizes: sizes.split('x').map(Number) } };
}

/** A variant that a table names for a problem, and whether for this very one. */
export interface Named {
  readonly variant: string;
  readonly exact: boolean;
}

interface Indexed {
  readonly sizes: readonly number[];
  readonly variant: string;
}

/** Entries by op and form. */
const indices = new WeakMap<TuningTable, ReadonlyMap<string, readonly Indexed[]>>();

function indexOf(table: TuningTable): ReadonlyMap<string, readonly Indexed[]> {
  return getOrMake(indices, table, () => {
    const index = new Map<string, Indexed[]>();
    for (const [key, { variant }] of Object.entries(table.entries)) {
      const { op, problem } = problemOf(key);
      getOrMake(index, `${op} ${problem.form}`, () => []).push({ sizes: problem.sizes, variant });
    }
    return index;
  });
}

/**
 * Sizes are near when the factors between them multiply to at most this: another batch, another image size, or a model
 * of twice the channels, but not all of these at once.
 */
const NEAR = 4;

/** What the table says of a problem: its own entry first, then entries near it, nearest first. */
export function namedIn(table: TuningTable, op: string, problem: Problem): Named[] {
  const key = problemKey(op, problem);
  const own = Object.hasOwn(table.entries, key) ? table.entries[key] : undefined;
  const { sizes } = problem;
  const near = (indexOf(table).get(`${op} ${problem.form}`) ?? [])
    .filter((entry) => entry.sizes.length === sizes.length)
    .map(({ sizes: other, variant }) => ({
      variant,
      factor: other.reduce((product, size, i) => {
        const ratio = size / (sizes[i] as number);
        return product * Math.max(ratio, 1 / ratio);
      }, 1),
    }))
    .filter(({ factor }) => factor > 1 && factor <= NEAR)
    .sort((a, b) => a.factor - b.factor);
  return [
    ...(own ? [{ variant: own.variant, exact: true }] : []),
    ...near.map(({ variant }) => ({ variant, exact: false })),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A time or a rate: above zero and finite. */
function isMeasure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

/**
 * A table from JSON text.
 * @param name where the text is from, for the message
 * @throws ShaderGradError in one sentence that says what is wrong with it
 */
export function parseTable(text: string, name: string): TuningTable {
  const wrong = (what: string) =>
    fail(`${name} is no tuning table: ${what}; delete it or make it anew with shadergrad tune.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong('it is not JSON');
  }
  if (!isObject(value) || value.format !== 'shadergrad-tuning')
    return wrong('its format is not "shadergrad-tuning"');
  if (value.version !== 1) return wrong(`its version is ${JSON.stringify(value.version)}, and 1 is known`);
  const { device, ceiling, entries } = value;
  if (
    !isObject(device) ||
    typeof device.kind !== 'string' ||
    typeof device.description !== 'string' ||
    !(device.subgroupSize === null || isMeasure(device.subgroupSize))
  ) {
    return wrong('"device" must have kind, description and subgroupSize');
  }
  const { kind, description, subgroupSize } = device;
  if (!isObject(entries)) return wrong('"entries" is missing');
  for (const [key, entry] of Object.entries(entries)) {
    const times = isObject(entry) ? entry.milliseconds : undefined;
    if (!isObject(entry) || typeof entry.variant !== 'string' || !isObject(times))
      return wrong(`the entry "${key}" must have variant and milliseconds`);
    for (const [variant, time] of Object.entries(times))
      if (!isMeasure(time)) return wrong(`the entry "${key}" has no time above 0 for ${variant}`);
  }
  const table = {
    format: 'shadergrad-tuning',
    version: 1,
    device: { kind, description, subgroupSize },
    entries: entries as Record<string, TuningEntry>,
  } as const;
  if (ceiling === undefined) return table;
  if (!isObject(ceiling) || ![ceiling.gflops, ceiling.gbps, ceiling.launch].every(isMeasure))
    return wrong('"ceiling" must have gflops, gbps and launch above 0');
  const { gflops, gbps, launch } = ceiling as unknown as Ceiling;
  return { ...table, ceiling: { gflops, gbps, launch } };
}
