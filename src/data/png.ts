import { convertIndexedToRgb, decode, encode } from 'fast-png';
import { DataError, reasonOf } from './error.js';
import type { RawImage } from './image.js';

/**
 * Decodes a PNG file to 8-bit gray, RGB or RGBA. Sixteen bits become eight (the upper byte), which `note` says; palettes
 * and gray of fewer than eight bits are spread to eight; an opaque alpha channel beside gray is dropped.
 *
 * @throws DataError
 */
export function decodePng(bytes: Uint8Array, name: string): RawImage {
  let png: ReturnType<typeof decode>;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new DataError(
      `${name}: not a whole PNG file (${reasonOf(error).replace(/[\s:.]+$/, '')}); copy or save it again.`,
    );
  }
  const { width, height, depth } = png;
  const pixels = width * height;
  // A full-colour file may carry a palette too, as a hint; only one channel makes it an index.
  if (png.palette && png.channels === 1) {
    const channels = png.palette[0]?.length === 4 ? 4 : 3;
    return { width, height, channels, data: spreadPalette(png, name) };
  }
  let data: Uint8Array;
  let note: string | undefined;
  if (depth === 16) {
    data = Uint8Array.from(png.data, (v) => v >> 8);
    note = `${name}: 16-bit samples were reduced to 8 bits.`;
  } else if (depth === 8) {
    data = new Uint8Array(png.data.buffer, png.data.byteOffset, png.data.length);
  } else {
    data = spreadBits(png.data, width, height, depth);
  }
  if (data.length < pixels * png.channels) {
    throw new DataError(
      `${name}: not a whole PNG file (its pixels do not fill ${width}x${height}); save it again.`,
    );
  }
  if (png.channels === 2) data = grayOfGrayAlpha(data, pixels, name);
  const channels = png.channels === 2 ? 1 : png.channels;
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new DataError(`${name}: the PNG file has ${channels} channels; save it as gray or RGB.`);
  }
  return { width, height, channels, data, ...(note === undefined ? {} : { note }) };
}

/** Encodes an 8-bit gray, RGB or RGBA image as a PNG file. */
export function encodePng(image: Pick<RawImage, 'width' | 'height' | 'channels' | 'data'>): Uint8Array {
  const { width, height, channels, data } = image;
  if (data.length !== width * height * channels) {
    throw new DataError(`encodePng was given ${data.length} bytes for ${width}x${height}x${channels}.`);
  }
  return encode({ width, height, channels, data, depth: 8 });
}

function spreadPalette(png: ReturnType<typeof decode>, name: string): Uint8Array {
  try {
    return Uint8Array.from(convertIndexedToRgb(png));
  } catch (error) {
    throw new DataError(`${name}: not a sound PNG file (${reasonOf(error)}); save it again.`);
  }
}

/** Samples of 1, 2 or 4 bits, rows padded to bytes, to 0..255. */
function spreadBits(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const top = (1 << depth) - 1;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = packed[y * rowBytes + (bit >> 3)] ?? 0;
      out[y * width + x] = (((byte >> (8 - depth - (bit & 7))) & top) * 255) / top;
    }
  }
  return out;
}

function grayOfGrayAlpha(data: Uint8Array, pixels: number, name: string): Uint8Array {
  const gray = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    if (data[2 * i + 1] !== 255) {
      throw new DataError(`${name}: the image has a see-through alpha channel; save it as RGB or gray.`);
    }
    gray[i] = data[2 * i] as number;
  }
  return gray;
}
