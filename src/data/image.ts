import { DataError } from './error.js';
import { decodePng } from './png.js';
import { decodeTiff } from './tiff.js';

/** An 8-bit image, its samples interleaved: `data[(y * width + x) * channels + c]`. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  /** 1 is gray, 3 is RGB, 4 is RGBA. */
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
  /** What was lost in reading, in words; absent when nothing was. */
  readonly note?: string;
}

const IMAGE_NAME = /\.(tiff?|png)$/i;

/** Whether a file of this name is one {@link decodeImage} is meant for. */
export function isImageName(name: string): boolean {
  return IMAGE_NAME.test(name);
}

/** Decodes a TIFF or PNG file, told apart by content; `name` is for the sentence when it is neither or is broken. */
export function decodeImage(bytes: Uint8Array, name: string): RawImage {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return decodePng(bytes, name);
  if (/\.png$/i.test(name) && !(bytes[0] === 0x49 || bytes[0] === 0x4d)) return decodePng(bytes, name);
  return decodeTiff(bytes, name);
}

/**
 * The image's three channels, interleaved. Gray is repeated; an opaque alpha channel is dropped, and one that is not
 * opaque is refused, because no reading of it would be the one that was meant.
 */
export function rgbOf(image: RawImage, name: string): Uint8Array {
  if (image.channels === 3) return image.data;
  const pixels = image.width * image.height;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const from = i * image.channels;
    if (image.channels === 4 && image.data[from + 3] !== 255) {
      throw new DataError(`${name}: the image has a see-through alpha channel; save it as RGB or gray.`);
    }
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = image.data[from + (image.channels === 1 ? 0 : c)] as number;
  }
  return rgb;
}

/** The image's one channel: gray as it is, RGB where the three channels are the same; else refused. */
export function grayOf(image: RawImage, name: string): Uint8Array {
  if (image.channels === 1) return image.data;
  const pixels = image.width * image.height;
  const gray = new Uint8Array(pixels);
  const { data, channels } = image;
  for (let i = 0; i < pixels; i++) {
    const value = data[i * channels] as number;
    if (data[i * channels + 1] !== value || data[i * channels + 2] !== value) {
      throw new DataError(`${name}: the mask is coloured; save it as gray with the values 0 and 255.`);
    }
    gray[i] = value;
  }
  return gray;
}
