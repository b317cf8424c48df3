import { DataError } from './error.js';
import type { FileSource } from './source.js';
import { comparePaths } from './source.js';
import { syntheticVolume } from './synthetic/volume.js';
import { encodeTiff } from './tiffWriter.js';

export { type SyntheticSlice, syntheticVolume } from './synthetic/volume.js';

export interface SyntheticOptions {
  readonly patients: number;
  /** Slices of each patient; 20 unless told. */
  readonly slices?: number;
  /** Width and height; 128 unless told. */
  readonly size?: number;
  /** The same seed gives the same files; 0 unless told. */
  readonly seed?: number;
}

/**
 * A made-up data set in the layout of the real one: `kaggle_3m/SYN_0001_20000101/SYN_0001_20000101_1.tif` and so on. It
 * looks like brain MRI and shows nobody; it is for demonstrations and tests. Files come one by one.
 */
export function* syntheticFiles(
  options: SyntheticOptions,
): Generator<{ readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }, void, undefined> {
  const { patients, slices, size, seed } = complete(options);
  for (let patient = 1; patient <= patients; patient++) {
    const id = patientId(patient);
    for (const [i, { image, mask }] of syntheticVolume(size, slices, seed, patient).entries()) {
      const stem = `kaggle_3m/${id}/${id}_${i + 1}`;
      yield {
        path: `${stem}.tif`,
        bytes: encodeTiff({ width: size, height: size, channels: 3, data: image }),
      };
      yield {
        path: `${stem}_mask.tif`,
        bytes: encodeTiff({ width: size, height: size, channels: 1, data: mask }),
      };
    }
  }
}

/** The same files as a source, made when they are asked for; one patient at a time is held. */
export function syntheticSource(options: SyntheticOptions): FileSource {
  const { patients, slices, size, seed } = complete(options);
  const places = new Map<string, { patient: number; slice: number; kind: 'image' | 'mask' }>();
  for (let patient = 1; patient <= patients; patient++) {
    const id = patientId(patient);
    for (let slice = 0; slice < slices; slice++) {
      const stem = `kaggle_3m/${id}/${id}_${slice + 1}`;
      places.set(`${stem}.tif`, { patient, slice, kind: 'image' });
      places.set(`${stem}_mask.tif`, { patient, slice, kind: 'mask' });
    }
  }
  let held = { patient: 0, volume: syntheticVolume(1, 0, seed, 0) };
  const bytesOf = (channels: 1 | 3) =>
    encodeTiff({ width: size, height: size, channels, data: new Uint8Array(size * size * channels) }).length;
  const sizes = { image: bytesOf(3), mask: bytesOf(1) };
  const entries = Array.from(places, ([path, { kind }]) => ({ path, size: sizes[kind] })).sort(comparePaths);
  return {
    name: 'synthetic slices',
    list: async () => entries,
    async read(path) {
      const place = places.get(path);
      if (place === undefined) throw new DataError(`There is no synthetic file ${path}.`);
      if (held.patient !== place.patient) {
        held = { patient: place.patient, volume: syntheticVolume(size, slices, seed, place.patient) };
      }
      const made = held.volume[place.slice];
      if (made === undefined) throw new DataError(`There is no synthetic file ${path}.`);
      const channels = place.kind === 'image' ? 3 : 1;
      return encodeTiff({ width: size, height: size, channels, data: made[place.kind] });
    },
    close: async () => {},
  };
}

function complete({
  patients,
  slices = 20,
  size = 128,
  seed = 0,
}: SyntheticOptions): Required<SyntheticOptions> {
  const whole = (what: string, value: number, least: number, most: number) => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new DataError(`The synthetic set takes ${what} from ${least} to ${most}, not ${value}.`);
  };
  whole('patients', patients, 1, 9999);
  whole('slices', slices, 1, 999);
  whole('a size', size, 16, 2048);
  return { patients, slices, size, seed };
}

function patientId(patient: number): string {
  const day = new Date(Date.UTC(2000, 0, patient)).toISOString().slice(0, 10).replaceAll('-', '');
  return `SYN_${String(patient).padStart(4, '0')}_${day}`;
}
