import { DataError, nameSome, reasonOf } from './error.js';
import { BUDA_VALID, POST_VALID } from './knownSplits.js';
import { Rng, shuffle } from './random.js';

/** The share of validation patients when nothing is told. */
export const DEFAULT_VALID = 0.2;

/** How to divide the patients. */
export type SplitRequest =
  /** `valid` is the share of patients for validation, between 0 and 1. */
  | { readonly kind: 'ratio'; readonly valid: number; readonly seed: number }
  /** The reference's 30 validation patients. */
  | { readonly kind: 'post' }
  /** Buda's 10 validation patients. */
  | { readonly kind: 'buda' }
  /** The text of a file {@link writeSplit} wrote, or one like it; `name` is for sentences. */
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly text: string;
      /** What to do where it names a patient who is absent. */
      readonly remedy?: string;
    };

/** Patients by side, sorted; none is on both. */
export interface Split {
  readonly kind: SplitRequest['kind'];
  readonly train: readonly string[];
  readonly valid: readonly string[];
  /** Patients of the data set on neither side; only a file leaves any out. */
  readonly unused: readonly string[];
  /** Of a ratio. */
  readonly seed?: number;
}

const SEED_KEY = 0x73706c69;

/**
 * Divides patients, never slices, into training and validation.
 *
 * @param patients ids of the patients there are, in any order.
 * @throws DataError when a named patient is absent, one is on both sides, or a side would be empty.
 */
export function splitByPatient(patients: readonly string[], request: SplitRequest): Split {
  const ids = [...new Set(patients)].sort();
  switch (request.kind) {
    case 'ratio':
      return byRatio(ids, request.valid, request.seed);
    case 'post':
      return byList(ids, POST_VALID, 'post');
    case 'buda':
      return byList(ids, BUDA_VALID, 'buda');
    case 'file':
      return byFile(ids, request.name, request.text, request.remedy);
  }
}

/** The split as the text of a JSON file. */
export function writeSplit(split: Split): string {
  const { kind, seed, train, valid } = split;
  return `${JSON.stringify({ kind, ...(seed === undefined ? {} : { seed }), train, valid }, undefined, 2)}\n`;
}

function byRatio(ids: readonly string[], valid: number, seed: number): Split {
  if (!(valid > 0 && valid < 1)) {
    throw new DataError(
      `The share of patients for validation must be between 0 and 1, not ${valid}; .2 is usual.`,
    );
  }
  if (ids.length < 2) {
    throw new DataError(
      `A split takes at least 2 patients and the data set has ${ids.length}; add patients.`,
    );
  }
  const count = Math.min(ids.length - 1, Math.max(1, Math.round(valid * ids.length)));
  const chosen = new Set(shuffle(Rng.of(SEED_KEY, seed), [...ids]).slice(0, count));
  return { kind: 'ratio', seed, ...sides(ids, chosen), unused: [] };
}

function byList(ids: readonly string[], list: readonly string[], kind: 'post' | 'buda'): Split {
  const known = new Set(ids);
  const absent = list.filter((id) => !known.has(id));
  if (absent.length > 0) {
    throw new DataError(
      `The split '${kind}' is for the full set of 110 patients: ${absent.length} of its ${list.length} validation patients are not among the ${ids.length} here (${nameSome(absent)}); use --split ratio, or the full data set.`,
    );
  }
  const divided = sides(ids, new Set(list));
  if (divided.train.length === 0) {
    throw new DataError(
      `The split '${kind}' leaves no patient for training here; use --split ratio, or add patients.`,
    );
  }
  return { kind, ...divided, unused: [] };
}

function sides(ids: readonly string[], valid: ReadonlySet<string>): { train: string[]; valid: string[] } {
  return { train: ids.filter((id) => !valid.has(id)), valid: ids.filter((id) => valid.has(id)) };
}

function byFile(
  ids: readonly string[],
  name: string,
  text: string,
  remedy = 'mend the file or use --split ratio',
): Split {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${name}: the split file is not JSON (${reasonOf(error)}); 'prepare' writes one.`);
  }
  const train = namesIn(parsed, 'train', name);
  const valid = namesIn(parsed, 'valid', name);
  const both = train.filter((id) => valid.includes(id));
  if (both.length > 0) {
    throw new DataError(
      `${name}: on both sides of the split: ${nameSome(both)}; a patient may be on one only.`,
    );
  }
  const known = new Set(ids);
  const absent = [...train, ...valid].filter((id) => !known.has(id));
  if (absent.length > 0) {
    const is = absent.length === 1 ? 'a patient that is' : `${absent.length} patients that are`;
    throw new DataError(
      `${name}: the split names ${is} not in the data set: ${nameSome(absent)}; ${remedy}.`,
    );
  }
  const used = new Set([...train, ...valid]);
  return { kind: 'file', train, valid, unused: ids.filter((id) => !used.has(id)) };
}

function namesIn(parsed: unknown, side: 'train' | 'valid', name: string): string[] {
  const names: unknown =
    typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, side) : undefined;
  if (
    !Array.isArray(names) ||
    names.length === 0 ||
    !names.every((id): id is string => typeof id === 'string')
  ) {
    throw new DataError(
      `${name}: the split file needs a list of patients named "${side}", such as {"train": ["A"], "valid": ["B"]}.`,
    );
  }
  const twice = names.find((id, i) => names.indexOf(id) !== i);
  if (twice !== undefined)
    throw new DataError(`${name}: ${twice} is twice in "${side}"; remove one of them.`);
  return [...names].sort();
}
