import { zlibSync } from 'fflate';

export interface TiffRecipe {
  width: number;
  height: number;
  channels: number;
  /** Interleaved samples of `bits` bits, as bytes in the file's byte order. */
  data: Uint8Array;
  bits?: number;
  sampleFormat?: number;
  /** 1 none, 5 LZW, 8 deflate, 32773 PackBits; other numbers are only claimed. */
  compression?: number;
  predictor?: number;
  photometric?: number;
  planar?: number;
  rowsPerStrip?: number;
  /** What the file claims, where that is not what was done. */
  claimRowsPerStrip?: number;
  tile?: number;
  bigEndian?: boolean;
  /** The last strip is filled up to the length of the others, as in the published slices. */
  longLastStrip?: boolean;
  /** The directory before the pixels instead of after them. */
  directoryFirst?: boolean;
  pages?: number;
  /** Further tags: number to SHORT value. */
  tags?: Record<number, number>;
  /** Tags to leave out. */
  without?: number[];
}

/** A TIFF file of nearly any kind, for the reader's tests. */
export function makeTiff(recipe: TiffRecipe): Uint8Array {
  const { width, height, channels, bits = 8, compression = 1, bigEndian = false } = recipe;
  const little = !bigEndian;
  const rowBytes = (width * channels * bits) / 8;
  const pieces = recipe.tile ? tiles(recipe, recipe.tile) : strips(recipe, rowBytes);
  const packed = pieces.map((piece) => pack(piece, compression));
  const planar = recipe.planar ?? 1;
  const sizes = packed.map((piece) => piece.length);
  const rows = recipe.rowsPerStrip ?? height;

  const tags: [number, number, number[]][] = [
    [256, 3, [width]],
    [257, 3, [height]],
    [258, 3, new Array<number>(channels).fill(bits)],
    [259, 3, [compression]],
    [262, 3, [recipe.photometric ?? (channels === 1 ? 1 : 2)]],
    [277, 3, [channels]],
    [284, 3, [planar]],
  ];
  if (recipe.predictor) tags.push([317, 3, [recipe.predictor]]);
  if (recipe.sampleFormat) tags.push([339, 3, new Array<number>(channels).fill(recipe.sampleFormat)]);
  if (channels === 4) tags.push([338, 3, [2]]);
  if (recipe.tile)
    tags.push([322, 3, [recipe.tile]], [323, 3, [recipe.tile]], [324, 4, sizes], [325, 4, sizes]);
  else tags.push([273, 4, sizes], [278, 4, [recipe.claimRowsPerStrip ?? rows]], [279, 4, sizes]);
  for (const [tag, value] of Object.entries(recipe.tags ?? {})) tags.push([Number(tag), 3, [value]]);
  const kept = tags.filter(([tag]) => !recipe.without?.includes(tag)).sort((a, b) => a[0] - b[0]);

  const extraOf = ([, type, values]: [number, number, number[]]) => {
    const size = values.length * (type === 3 ? 2 : 4);
    return size > 4 ? size + (size & 1) : 0;
  };
  const directorySize = 2 + kept.length * 12 + 4 + kept.reduce((sum, tag) => sum + extraOf(tag), 0);
  const pages = recipe.pages ?? 1;
  const dataSize = sizes.reduce((a, b) => a + b, 0);
  const dataStart = recipe.directoryFirst ? 8 + pages * directorySize : 8;
  const firstDirectory = recipe.directoryFirst ? 8 : (8 + dataSize + 1) & ~1;
  const out = new Uint8Array(
    recipe.directoryFirst ? dataStart + dataSize : firstDirectory + pages * directorySize,
  );
  const view = new DataView(out.buffer);
  out.set(bigEndian ? [0x4d, 0x4d, 0, 42] : [0x49, 0x49, 42, 0]);
  view.setUint32(4, firstDirectory, little);
  const offsets: number[] = [];
  let at = dataStart;
  for (const piece of packed) {
    offsets.push(at);
    out.set(piece, at);
    at += piece.length;
  }
  for (let page = 0; page < pages; page++) {
    const directory = firstDirectory + page * directorySize;
    view.setUint16(directory, kept.length, little);
    let free = directory + 2 + kept.length * 12 + 4;
    for (const [i, entry] of kept.entries()) {
      const [tag, type] = entry;
      const values = tag === 273 || tag === 324 ? offsets : entry[2];
      const slot = directory + 2 + i * 12;
      view.setUint16(slot, tag, little);
      view.setUint16(slot + 2, type, little);
      view.setUint32(slot + 4, values.length, little);
      let to = slot + 8;
      const extra = extraOf(entry);
      if (extra > 0) {
        view.setUint32(to, free, little);
        to = free;
        free += extra;
      }
      for (const value of values) {
        if (type === 3) view.setUint16(to, value, little);
        else view.setUint32(to, value, little);
        to += type === 3 ? 2 : 4;
      }
    }
    if (page + 1 < pages) view.setUint32(directory + 2 + kept.length * 12, directory + directorySize, little);
  }
  return out;
}

function strips(recipe: TiffRecipe, rowBytes: number): Uint8Array[] {
  const { height, data, width, channels } = recipe;
  const rows = recipe.rowsPerStrip ?? height;
  if (recipe.planar === 2) {
    return Array.from({ length: channels }, (_, c) =>
      Uint8Array.from({ length: width * height }, (_, i) => data[i * channels + c] as number),
    );
  }
  const result: Uint8Array[] = [];
  for (let row = 0; row < height; row += rows) {
    const piece = data.slice(row * rowBytes, Math.min(height, row + rows) * rowBytes);
    const long = recipe.longLastStrip ? new Uint8Array(rows * rowBytes).fill(77) : piece;
    if (long !== piece) long.set(piece);
    result.push(difference(long, rowBytes, recipe));
  }
  return result;
}

function tiles(recipe: TiffRecipe, tile: number): Uint8Array[] {
  const { width, height, channels, data } = recipe;
  const result: Uint8Array[] = [];
  for (let top = 0; top < height; top += tile) {
    for (let left = 0; left < width; left += tile) {
      const piece = new Uint8Array(tile * tile * channels);
      for (let y = 0; y < Math.min(tile, height - top); y++) {
        const from = ((top + y) * width + left) * channels;
        const count = Math.min(tile, width - left) * channels;
        piece.set(data.subarray(from, from + count), y * tile * channels);
      }
      result.push(difference(piece, tile * channels, recipe));
    }
  }
  return result;
}

/** Predictor 2: each sample less the one to its left. */
function difference(piece: Uint8Array, rowBytes: number, { predictor, channels }: TiffRecipe): Uint8Array {
  if (predictor !== 2) return piece;
  return piece.map((value, i) => (i % rowBytes < channels ? value : value - (piece[i - channels] as number)));
}

function pack(piece: Uint8Array, compression: number): Uint8Array {
  if (compression === 5) return lzw(piece);
  if (compression === 8) return zlibSync(piece);
  if (compression === 32773) return packBits(piece);
  return piece;
}

/** TIFF's LZW: codes from the high bit down, widened one early. */
export function lzw(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let held = 0;
  let heldBits = 0;
  let width = 9;
  const put = (code: number) => {
    held = (held << width) | code;
    heldBits += width;
    while (heldBits >= 8) {
      out.push((held >> (heldBits - 8)) & 255);
      heldBits -= 8;
    }
    held &= (1 << heldBits) - 1;
  };
  let table = new Map<string, number>();
  let next = 258;
  put(256);
  let prefix = '';
  const codeOf = (text: string) => (text.length === 1 ? text.charCodeAt(0) : (table.get(text) as number));
  for (const byte of bytes) {
    const longer = prefix + String.fromCharCode(byte);
    if (prefix === '' || table.has(longer)) {
      prefix = longer;
      continue;
    }
    put(codeOf(prefix));
    table.set(longer, next++);
    if (next === 4095) {
      put(256);
      table = new Map();
      next = 258;
      width = 9;
    } else if (next === 1 << width) {
      width++;
    }
    prefix = String.fromCharCode(byte);
  }
  if (prefix !== '') {
    put(codeOf(prefix));
    next++;
    if (next === 1 << width && width < 12) width++;
  }
  put(257);
  if (heldBits > 0) out.push((held << (8 - heldBits)) & 255);
  return Uint8Array.from(out);
}

function packBits(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let run = 1;
    while (run < 128 && bytes[at + run] === bytes[at] && at + run < bytes.length) run++;
    if (run > 2) {
      out.push(257 - run, bytes[at] as number);
      at += run;
    } else {
      const count = Math.min(5, bytes.length - at);
      out.push(count - 1, ...bytes.subarray(at, at + count));
      at += count;
    }
  }
  return Uint8Array.from(out);
}
