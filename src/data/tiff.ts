import UTIF from 'utif';
import { DataError, reasonOf } from './error.js';
import type { RawImage } from './image.js';
import { cutShort, readTiffDirectories, Tag, type TiffTags } from './tiffDirectory.js';
import { Compression, unpackedLength } from './tiffStrips.js';

const COMPRESSION_NAMES: Readonly<Record<number, string>> = {
  2: 'CCITT fax',
  3: 'CCITT fax',
  4: 'CCITT fax',
  6: 'JPEG',
  7: 'JPEG',
  32946: 'old deflate',
  50000: 'Zstandard',
  50001: 'WebP',
};
const READ_COMPRESSIONS: readonly number[] = Object.values(Compression);

/**
 * Decodes an 8-bit gray, RGB or RGBA TIFF file (uncompressed, LZW, deflate or PackBits). What the decoder would read
 * wrongly or partly is refused by name: other sample types, planes stored apart, tiles with compression, several pages,
 * a file that ends before its last row.
 *
 * @param name the file's name, for the sentence when something is wrong.
 * @throws DataError
 */
export function decodeTiff(bytes: Uint8Array, name: string): RawImage {
  const pages = readTiffDirectories(bytes, name);
  const tags = pages[0];
  if (tags === undefined) throw new DataError(`${name}: the TIFF file holds no image.`);
  if (pages.length > 1) {
    throw new DataError(
      `${name}: the TIFF file holds ${pages.length} images; save each slice as a file of its own.`,
    );
  }
  const kind = checkKind(tags, name);
  const directory = checkData(bytes, tags, kind, name);
  // The decoder reads the whole ArrayBuffer, so a view on part of one is copied.
  const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  try {
    UTIF.decodeImage(whole ? (bytes.buffer as ArrayBuffer) : new Uint8Array(bytes).buffer, directory);
  } catch (error) {
    throw new DataError(`${name}: the TIFF file is damaged (${reasonOf(error)}); copy it again.`);
  }
  const { width, height, channels } = kind;
  const data = directory.data;
  if (data === undefined || data.length !== width * height * channels) {
    throw new DataError(
      `${name}: the TIFF file is damaged (its pixels do not fill ${width}x${height}); copy it again.`,
    );
  }
  if (kind.whiteIsZero) for (let i = 0; i < data.length; i++) data[i] = 255 - (data[i] as number);
  return { width, height, channels, data };
}

interface Kind {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly compression: number;
  readonly tiled: boolean;
  readonly whiteIsZero: boolean;
}

/** What sort of image this is, by its tags alone. */
function checkKind(tags: TiffTags, name: string): Kind {
  const refuse = (what: string, remedy: string) => new DataError(`${name}: ${what}; ${remedy}.`);
  const PLAIN = 'save it as plain 8-bit gray or RGB, in strips, with no compression';
  const one = (tag: number, absent: number) => tags.get(tag)?.[0] ?? absent;

  const width = one(Tag.WIDTH, 0);
  const height = one(Tag.HEIGHT, 0);
  if (width === 0 || height === 0)
    throw refuse('the TIFF file does not say its width and height', 'copy it again');

  const bits = tags.get(Tag.BITS) ?? [1];
  const format = one(Tag.SAMPLE_FORMAT, 1);
  const sample = `${bits[0]}-bit ${format === 3 ? 'floating-point' : format === 2 ? 'signed' : 'unsigned'} samples`;
  if (format !== 1 || bits.some((b) => b !== 8)) {
    throw refuse(`the TIFF file has ${sample}, and only 8-bit unsigned ones are read`, 'convert it to 8-bit');
  }
  const channels = one(Tag.SAMPLES, 1);
  if ((channels !== 1 && channels !== 3 && channels !== 4) || bits.length !== channels) {
    throw refuse(
      `the TIFF file has ${channels === 1 ? '1 channel' : `${channels} channels`} and ${bits.length} sample sizes`,
      PLAIN,
    );
  }
  const photometric = one(Tag.PHOTOMETRIC, channels === 1 ? 1 : 2);
  if (channels === 1 ? photometric > 1 : photometric !== 2) {
    const colours = { 3: 'a colour palette', 5: 'CMYK colours', 6: 'YCbCr colours', 8: 'CIELab colours' }[
      photometric
    ];
    throw refuse(`the TIFF file has ${colours ?? `colour kind ${photometric}`}, which is not read`, PLAIN);
  }
  if (channels > 1 && one(Tag.PLANAR, 1) !== 1) {
    throw refuse(
      'the TIFF file stores its channels apart (planar configuration 2), which is not read',
      PLAIN,
    );
  }
  const compression = one(Tag.COMPRESSION, 1);
  const called = COMPRESSION_NAMES[compression] ?? `kind ${compression}`;
  if (!READ_COMPRESSIONS.includes(compression)) {
    throw refuse(`the TIFF file is compressed with ${called}, which is not read`, PLAIN);
  }
  const predictor = one(Tag.PREDICTOR, 1);
  const tiled = tags.has(Tag.TILE_WIDTH);
  if (tiled && (compression !== Compression.NONE || predictor !== 1)) {
    const by =
      compression === Compression.LZW ? 'LZW' : compression === Compression.DEFLATE ? 'deflate' : 'PackBits';
    throw refuse(`the TIFF file is stored in tiles compressed with ${by}, which is not read`, PLAIN);
  }
  if (predictor !== 1 && predictor !== 2) throw refuse(`the TIFF file has predictor ${predictor}`, PLAIN);
  if (one(Tag.FILL_ORDER, 1) !== 1) throw refuse('the TIFF file has its bits in reverse order', PLAIN);
  const orientation = one(Tag.ORIENTATION, 1);
  if (orientation !== 1) {
    throw refuse(
      `the TIFF file is stored turned or mirrored (orientation ${orientation})`,
      'save it upright',
    );
  }
  return { width, height, channels, compression, tiled, whiteIsZero: channels === 1 && photometric === 0 };
}

/** Checks that every strip or tile is there in full, and gives the directory the decoder is to follow. */
function checkData(bytes: Uint8Array, tags: TiffTags, kind: Kind, name: string): DecoderDirectory {
  const { width, height, channels, compression, tiled } = kind;
  const what = tiled ? 'tile' : 'strip';
  const offsets = tags.get(tiled ? Tag.TILE_OFFSETS : Tag.STRIP_OFFSETS) ?? [];
  let counts = tags.get(tiled ? Tag.TILE_COUNTS : Tag.STRIP_COUNTS);
  const tileWidth = tiled ? (tags.get(Tag.TILE_WIDTH)?.[0] ?? 0) : width;
  const tileHeight = tiled ? (tags.get(Tag.TILE_HEIGHT)?.[0] ?? 0) : 0;
  const rows = tiled ? tileHeight : Math.min(tags.get(Tag.ROWS_PER_STRIP)?.[0] ?? height, height);
  if (rows === 0 || tileWidth === 0)
    throw new DataError(`${name}: the TIFF file has ${what}s of no size; copy it again.`);
  const wanted = Math.ceil(height / rows) * Math.ceil(width / tileWidth);
  if (offsets.length !== wanted || (counts !== undefined && counts.length !== wanted)) {
    throw new DataError(
      `${name}: the TIFF file needs ${wanted} ${what}s for ${width}x${height} and lists ${offsets.length}; copy it again.`,
    );
  }
  const needed = (index: number) => {
    const height_ = tiled ? rows : Math.min(rows, height - index * rows);
    return tileWidth * height_ * channels;
  };
  if (counts === undefined) {
    if (compression !== Compression.NONE) {
      throw new DataError(
        `${name}: the TIFF file does not say how long its compressed strips are; copy it again.`,
      );
    }
    counts = offsets.map((_, i) => needed(i));
  }
  for (const [index, offset] of offsets.entries()) {
    const count = counts[index] as number;
    const need = needed(index);
    // An uncompressed strip may claim more than its rows need; only what they need has to be there.
    const end = offset + (compression === Compression.NONE ? need : count);
    if (end > bytes.length)
      throw cutShort(name, `${what} ${index + 1} of ${wanted} ends at byte ${end}`, bytes.length);
    const have =
      compression === Compression.NONE ? count : unpackedLength(bytes.subarray(offset, end), compression);
    if (have < need) {
      const found = have < 0 ? 'is damaged' : `holds ${have} bytes where its rows need ${need}`;
      throw new DataError(
        `${name}: the TIFF file is damaged (${what} ${index + 1} of ${wanted} ${found}); copy it again.`,
      );
    }
    // The decoder takes a compressed strip as long as the image for one that is not compressed.
    if (compression !== Compression.NONE && count === width * height * channels) {
      throw new DataError(
        `${name}: the TIFF file has a compressed strip as long as its image; save it uncompressed.`,
      );
    }
  }
  const directory: DecoderDirectory = {
    t256: [width],
    t257: [height],
    t258: new Array<number>(channels).fill(8),
    t259: [compression],
    t262: [channels === 1 ? 1 : 2],
    t277: [channels],
  };
  const predictor = tags.get(Tag.PREDICTOR);
  if (predictor !== undefined) directory.t317 = predictor;
  if (tiled) {
    directory.t322 = [tileWidth];
    directory.t323 = [tileHeight];
    directory.t324 = offsets;
    directory.t325 = counts;
  } else {
    directory.t273 = offsets;
    directory.t278 = [rows];
    directory.t279 = counts.map((count, i) => (compression === Compression.NONE ? needed(i) : count));
  }
  return directory;
}

interface DecoderDirectory {
  data?: Uint8Array;
  [tag: `t${number}`]: readonly number[];
}
