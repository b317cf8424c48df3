import { crc32 } from './crc32.js';
import { DataError, nameSome } from './error.js';
import type { FileSource, SourceEntry } from './source.js';

/** An image and its mask, by name: `<patient>_<n>.tif` and `<patient>_<n>_mask.tif`. */
export interface FilePair {
  readonly patient: string;
  /** The slice's number in its name. */
  readonly number: number;
  readonly image: string;
  readonly mask: string;
}

/** What was found among the files beside the pairs. */
export interface PairingReport {
  /** Files that are the same slice, byte for byte, as another of the same name; the first path was taken. */
  readonly duplicates: readonly string[];
  /** The folders the duplicates lie in, as far as their paths differ from those taken: the tree's second copy. */
  readonly duplicateTrees: readonly string[];
  /** Files that are no slices. */
  readonly ignored: readonly string[];
}

const SLICE_NAME = /^(.+)_(\d+)(_mask)?\.tiff?$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;

interface Found {
  image?: SourceEntry;
  mask?: SourceEntry;
}

/**
 * Pairs images and masks by name, never by their order. Pairs come patient by patient, slices by number. A file that
 * turns up twice with the same bytes, as the public archive's do, counts once; with other bytes, it is an error.
 *
 * @throws DataError on a slice with no mask, a mask with no slice, two files for one slice, or no slice at all.
 */
export async function pairFiles(source: FileSource): Promise<{ pairs: FilePair[]; report: PairingReport }> {
  const found = new Map<string, Map<number, Found>>();
  const duplicates: string[] = [];
  const trees = new Set<string>();
  const ignored: string[] = [];
  // The least deep path first, so that it is the one taken.
  const depth = (path: string) => path.split('/').length;
  const entries = [...(await source.list())].sort((a, b) => depth(a.path) - depth(b.path));
  for (const entry of entries) {
    const match = SLICE_NAME.exec(entry.path.slice(entry.path.lastIndexOf('/') + 1));
    if (match === null || HIDDEN.test(entry.path)) {
      ignored.push(entry.path);
      continue;
    }
    const patient = match[1] as string;
    const number = Number(match[2]);
    const kind = match[3] === undefined ? 'image' : 'mask';
    const slices = found.get(patient) ?? new Map<number, Found>();
    found.set(patient, slices);
    const slice = slices.get(number) ?? {};
    slices.set(number, slice);
    const first = slice[kind];
    if (first === undefined) {
      slice[kind] = entry;
    } else if (await sameBytes(source, first, entry)) {
      duplicates.push(entry.path);
      trees.add(treeOf(entry.path, first.path));
    } else {
      throw new DataError(
        `${source.name}: ${first.path} and ${entry.path} are two different files for one ${kind}; remove one of them.`,
      );
    }
  }

  const lonelyImages: string[] = [];
  const lonelyMasks: string[] = [];
  const pairs: FilePair[] = [];
  for (const [patient, slices] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [number, { image, mask }] of [...slices].sort(([a], [b]) => a - b)) {
      if (image && mask) pairs.push({ patient, number, image: image.path, mask: mask.path });
      else if (image) lonelyImages.push(image.path);
      else if (mask) lonelyMasks.push(mask.path);
    }
  }
  if (lonelyImages.length > 0) {
    throw new DataError(
      `${source.name}: no mask for ${nameSome(lonelyImages)}; a mask is named as its image with _mask before .tif.`,
    );
  }
  if (lonelyMasks.length > 0) {
    throw new DataError(
      `${source.name}: no image for the mask ${nameSome(lonelyMasks)}; add it or remove the mask.`,
    );
  }
  if (pairs.length === 0) {
    const held =
      entries.length === 0
        ? 'it is empty'
        : entries.length === 1
          ? 'its one file is not named so'
          : `none of its ${entries.length} files is named so`;
    throw new DataError(
      `${source.name}: no slices named <patient>_<n>.tif with <patient>_<n>_mask.tif here (${held}); give the folder or zip that holds kaggle_3m.`,
    );
  }
  return {
    pairs,
    report: { duplicates: duplicates.sort(), duplicateTrees: [...trees].sort(), ignored: ignored.sort() },
  };
}

/** What precedes the part of the path that both have in common at the end. */
function treeOf(path: string, first: string): string {
  const a = path.split('/');
  const b = first.split('/');
  let common = 0;
  while (common < Math.min(a.length, b.length) - 1 && a.at(-1 - common) === b.at(-1 - common)) common++;
  return a.slice(0, Math.max(1, a.length - common)).join('/');
}

/** Whether two files of a source hold the same, by size and checksum. */
export async function sameBytes(source: FileSource, a: SourceEntry, b: SourceEntry): Promise<boolean> {
  if (a.size !== b.size) return false;
  const crc = async (entry: SourceEntry) => entry.crc ?? crc32(await source.read(entry.path));
  return (await crc(a)) === (await crc(b));
}
