import { DataError } from './error.js';

/** The tags of a TIFF directory that matter here, by number; a tag that is absent is absent. */
export type TiffTags = ReadonlyMap<number, readonly number[]>;

export const Tag = {
  SUBFILE: 254,
  WIDTH: 256,
  HEIGHT: 257,
  BITS: 258,
  COMPRESSION: 259,
  PHOTOMETRIC: 262,
  FILL_ORDER: 266,
  STRIP_OFFSETS: 273,
  ORIENTATION: 274,
  SAMPLES: 277,
  ROWS_PER_STRIP: 278,
  STRIP_COUNTS: 279,
  PLANAR: 284,
  PREDICTOR: 317,
  TILE_WIDTH: 322,
  TILE_HEIGHT: 323,
  TILE_OFFSETS: 324,
  TILE_COUNTS: 325,
  SAMPLE_FORMAT: 339,
} as const;

const WANTED = new Set<number>(Object.values(Tag));
const SHORT = 3;
const LONG = 4;
const MAX_PAGES = 4096;

/**
 * Reads the directories of a TIFF file, thumbnails and masks left out (tag 254 not 0). Every offset is checked against
 * the file's length first, so that a file cut short is named and never read as zeros.
 */
export function readTiffDirectories(bytes: Uint8Array, name: string): TiffTags[] {
  const mark = String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0);
  if (bytes.length < 8 || (mark !== 'II' && mark !== 'MM')) {
    throw new DataError(
      `${name}: not a TIFF file (${describeStart(bytes)}); check what it is and where it came from.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = mark === 'II';
  const version = view.getUint16(2, little);
  if (version === 43)
    throw new DataError(`${name}: a BigTIFF file, which is not read; save it as plain TIFF.`);
  if (version !== 42)
    throw new DataError(`${name}: not a TIFF file (version ${version}, where TIFF has 42).`);

  const pages: TiffTags[] = [];
  let offset = view.getUint32(4, little);
  for (let page = 0; offset !== 0; page++) {
    if (page === MAX_PAGES)
      throw new DataError(`${name}: a broken TIFF file, its list of directories has no end.`);
    if (offset + 2 > bytes.length) throw cutShort(name, `its directory lies at byte ${offset}`, bytes.length);
    const entries = view.getUint16(offset, little);
    const end = offset + 2 + entries * 12;
    // Some writers leave out the closing link of the last directory; that loses no pixel.
    if (end > bytes.length) throw cutShort(name, `its directory ends at byte ${end}`, bytes.length);
    const tags = new Map<number, readonly number[]>();
    for (let at = offset + 2; at < end; at += 12) {
      const tag = view.getUint16(at, little);
      const type = view.getUint16(at + 2, little);
      const count = view.getUint32(at + 4, little);
      if (!WANTED.has(tag)) continue;
      if (type !== SHORT && type !== LONG) continue;
      const size = (type === SHORT ? 2 : 4) * count;
      const from = size <= 4 ? at + 8 : view.getUint32(at + 8, little);
      if (from + size > bytes.length)
        throw cutShort(name, `its tag ${tag} ends at byte ${from + size}`, bytes.length);
      const values: number[] = [];
      for (let i = 0; i < count; i++) {
        values.push(
          type === SHORT ? view.getUint16(from + 2 * i, little) : view.getUint32(from + 4 * i, little),
        );
      }
      tags.set(tag, values);
    }
    if ((tags.get(Tag.SUBFILE)?.[0] ?? 0) === 0) pages.push(tags);
    offset = end + 4 <= bytes.length ? view.getUint32(end, little) : 0;
  }
  return pages;
}

/** The sentence for a file that ends too soon. */
export function cutShort(name: string, what: string, length: number): DataError {
  return new DataError(
    `${name}: the TIFF file is cut short (${what}, the file has ${length} bytes); copy it again.`,
  );
}

function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  const start = bytes.subarray(0, 16);
  if (start.every((b) => (b >= 32 && b < 127) || b === 9 || b === 10 || b === 13)) {
    return `it starts with the text ${JSON.stringify(String.fromCharCode(...start))}`;
  }
  return `its first bytes are ${Array.from(start.subarray(0, 4), (b) => b.toString(16).padStart(2, '0')).join(' ')}`;
}
