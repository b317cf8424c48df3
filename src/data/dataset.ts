import { DataError } from './error.js';
import { decodeImage, grayOf, rgbOf } from './image.js';
import { type FilePair, type PairingReport, pairFiles } from './pairing.js';
import { SliceCache } from './sliceCache.js';
import type { FileSource } from './source.js';

/** One slice of the data set and what is known of it without reading it again. */
export interface SliceRef extends FilePair {
  /** Its place in {@link Dataset.slices}. */
  readonly index: number;
  readonly width: number;
  readonly height: number;
  /** Lesion pixels in the mask. */
  readonly lesion: number;
  /** The least and the greatest value of the image, over its three channels together. */
  readonly min: number;
  readonly max: number;
}

/** A slice's 8-bit samples. They are shared: read them, do not write to them. */
export interface SlicePixels {
  /** RGB, interleaved: [height, width, 3]. */
  readonly image: Uint8Array;
  /** 0 or 255: [height, width]. */
  readonly mask: Uint8Array;
}

export interface Patient {
  readonly id: string;
  /** By slice number. */
  readonly slices: readonly SliceRef[];
}

/** What was found at load. */
export interface DatasetReport extends PairingReport {
  readonly patients: number;
  readonly slices: number;
  readonly lesionSlices: number;
  readonly lesionPixels: number;
  readonly pixels: number;
  /** How many slices are of each size, the most frequent first. */
  readonly sizes: readonly { readonly width: number; readonly height: number; readonly slices: number }[];
  /** Values that occur in the masks: [0, 255], or [0] where there is no lesion at all. */
  readonly maskValues: readonly number[];
}

/** Images and masks by patient; pixels are read on demand and kept up to a bound. */
export interface Dataset {
  /** The source's name. */
  readonly name: string;
  /** By id. */
  readonly patients: readonly Patient[];
  /** All slices: patient by patient, each by slice number. */
  readonly slices: readonly SliceRef[];
  readonly report: DatasetReport;
  /** The slice's pixels. @throws DataError when the file cannot be read any more. */
  read(slice: SliceRef): Promise<SlicePixels>;
  close(): Promise<void>;
}

export interface DatasetOptions {
  /** Told after each slice that was checked. */
  readonly onProgress?: (done: number, total: number) => void;
  /** The most memory to keep pixels in, in bytes; 256 MiB unless told. */
  readonly cacheBytes?: number;
}

const DEFAULT_CACHE = 256 * 2 ** 20;
/** Enough to keep a disk and the unpacking threads busy. */
const READS_AT_ONCE = 8;

/**
 * Opens a `kaggle_3m` tree or zip: pairs its files by name, reads and checks every one of them, and tells what is there.
 * The data set closes the source; so does a failure to open it.
 *
 * @throws DataError naming the file: one that cannot be decoded, a mask with values other than 0 and 255, an image and a
 * mask of different sizes, one without the other.
 */
export async function openDataset(source: FileSource, options: DatasetOptions = {}): Promise<Dataset> {
  try {
    return await load(source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function load(source: FileSource, options: DatasetOptions): Promise<Dataset> {
  const { pairs, report } = await pairFiles(source);
  const cache = new SliceCache<SlicePixels>(
    options.cacheBytes ?? DEFAULT_CACHE,
    ({ image, mask }) => image.length + mask.length,
  );
  const slices = new Array<SliceRef>(pairs.length);
  let next = 0;
  let done = 0;
  let stopped = false;
  const scan = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const pair = pairs[index];
      if (pair === undefined || stopped) return;
      try {
        const { pixels, width, height } = await readPair(source, pair);
        slices[index] = { ...pair, index, width, height, ...measure(pixels) };
        cache.put(index, pixels);
      } catch (error) {
        stopped = true;
        throw error;
      }
      options.onProgress?.(++done, pairs.length);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: READS_AT_ONCE }, scan));
  for (const result of results) if (result.status === 'rejected') throw result.reason;

  const patients = byPatient(slices);
  return {
    name: source.name,
    patients,
    slices,
    report: { ...report, ...count(slices), patients: patients.length },
    read: (slice) =>
      cache.get(slice.index, async () => {
        const read = await readPair(source, slice);
        if (read.width !== slice.width || read.height !== slice.height) {
          throw new DataError(`${source.name}: ${slice.image} has another size than at load; start again.`);
        }
        return read.pixels;
      }),
    close: () => source.close(),
  };
}

async function readPair(source: FileSource, pair: FilePair) {
  const [imageBytes, maskBytes] = await Promise.all([source.read(pair.image), source.read(pair.mask)]);
  const image = decodeImage(imageBytes, pair.image);
  const mask = decodeImage(maskBytes, pair.mask);
  if (image.width !== mask.width || image.height !== mask.height) {
    throw new DataError(
      `${pair.mask}: the mask is ${mask.width}x${mask.height} and its image is ${image.width}x${image.height}; they must be of one size.`,
    );
  }
  const gray = grayOf(mask, pair.mask);
  checkMask(gray, pair.mask);
  return {
    pixels: { image: rgbOf(image, pair.image), mask: gray },
    width: image.width,
    height: image.height,
  };
}

function checkMask(mask: Uint8Array, name: string): void {
  for (let i = 0; i < mask.length; i++) {
    const value = mask[i] as number;
    if (value === 0 || value === 255) continue;
    const values = [...new Set(mask)].sort((a, b) => a - b);
    const listed =
      values.length > 6 ? `${values.length} values from ${values[0]} to ${values.at(-1)}` : values.join(', ');
    throw new DataError(`${name}: the mask holds ${listed}; a mask must hold 0 and 255 only.`);
  }
}

function measure({ image, mask }: SlicePixels): { lesion: number; min: number; max: number } {
  let lesion = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) lesion++;
  let min = 255;
  let max = 0;
  for (let i = 0; i < image.length; i++) {
    const value = image[i] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { lesion, min, max };
}

function byPatient(slices: readonly SliceRef[]): Patient[] {
  const groups = new Map<string, SliceRef[]>();
  for (const slice of slices) {
    const group = groups.get(slice.patient);
    if (group) group.push(slice);
    else groups.set(slice.patient, [slice]);
  }
  return Array.from(groups, ([id, own]) => ({ id, slices: own }));
}

function count(slices: readonly SliceRef[]) {
  const sizes = new Map<string, { width: number; height: number; slices: number }>();
  let lesionSlices = 0;
  let lesionPixels = 0;
  let pixels = 0;
  for (const { width, height, lesion } of slices) {
    const key = `${width}x${height}`;
    const size = sizes.get(key) ?? { width, height, slices: 0 };
    size.slices++;
    sizes.set(key, size);
    if (lesion > 0) lesionSlices++;
    lesionPixels += lesion;
    pixels += width * height;
  }
  const maskValues = [...(lesionPixels < pixels ? [0] : []), ...(lesionPixels > 0 ? [255] : [])];
  return {
    slices: slices.length,
    lesionSlices,
    lesionPixels,
    pixels,
    sizes: [...sizes.values()].sort((a, b) => b.slices - a.slices),
    maskValues,
  };
}

/** The slices of these patients, in the data set's order. @throws DataError on a patient that is not there. */
export function slicesOf(dataset: Dataset, patients: readonly string[]): SliceRef[] {
  const wanted = new Set(patients);
  for (const { id } of dataset.patients) wanted.delete(id);
  const [absent] = wanted;
  if (absent !== undefined)
    throw new DataError(`${dataset.name}: there is no patient ${absent} in this data set.`);
  const kept = new Set(patients);
  return dataset.slices.filter((slice) => kept.has(slice.patient));
}

/** The one size all these slices have. @throws DataError listing the sizes when they are several. */
export function commonSize(slices: readonly SliceRef[]): { readonly width: number; readonly height: number } {
  const [first] = slices;
  if (first === undefined)
    throw new DataError('There are no slices to train on or to evaluate; check the split.');
  const sizes = new Map<string, { example: SliceRef; slices: number }>();
  for (const slice of slices) {
    const key = `${slice.width}x${slice.height}`;
    const size = sizes.get(key) ?? { example: slice, slices: 0 };
    size.slices++;
    sizes.set(key, size);
  }
  if (sizes.size > 1) {
    const listed = Array.from(
      sizes,
      ([key, size]) => `${key} (${size.slices}, such as ${size.example.image})`,
    );
    throw new DataError(
      `The slices are of ${sizes.size} sizes: ${listed.join(', ')}; resize them to one size first.`,
    );
  }
  return { width: first.width, height: first.height };
}
