import { DataError } from './error.js';
import type { RawImage } from './image.js';
import { Tag } from './tiffDirectory.js';

const STRIP_BYTES = 8192;
const SHORT = 3;
const LONG = 4;

/** Encodes an 8-bit gray or RGB image as a little-endian TIFF file: no compression, strips of about 8 KiB. */
export function encodeTiff(
  image: Pick<RawImage, 'width' | 'height' | 'channels' | 'data'>,
): Uint8Array<ArrayBuffer> {
  const { width, height, channels, data } = image;
  if (channels === 4) throw new DataError('encodeTiff writes gray or RGB; drop the alpha channel first.');
  if (data.length !== width * height * channels || data.length === 0) {
    throw new DataError(`encodeTiff was given ${data.length} bytes for ${width}x${height}x${channels}.`);
  }
  const rowBytes = width * channels;
  const rows = Math.min(height, Math.ceil(STRIP_BYTES / rowBytes));
  const strips = Math.ceil(height / rows);
  const offsets = Array.from({ length: strips }, (_, i) => 8 + i * rows * rowBytes);
  const counts = offsets.map((_, i) => Math.min(rows, height - i * rows) * rowBytes);
  const size = width > 65535 || height > 65535 ? LONG : SHORT;
  const entries: readonly (readonly [tag: number, type: number, values: readonly number[]])[] = [
    [Tag.WIDTH, size, [width]],
    [Tag.HEIGHT, size, [height]],
    [Tag.BITS, SHORT, new Array<number>(channels).fill(8)],
    [Tag.COMPRESSION, SHORT, [1]],
    [Tag.PHOTOMETRIC, SHORT, [channels === 1 ? 1 : 2]],
    [Tag.STRIP_OFFSETS, LONG, offsets],
    [Tag.SAMPLES, SHORT, [channels]],
    [Tag.ROWS_PER_STRIP, size, [rows]],
    [Tag.STRIP_COUNTS, LONG, counts],
    [Tag.PLANAR, SHORT, [1]],
  ];
  const sizeOf = (type: number, values: readonly number[]) => values.length * (type === SHORT ? 2 : 4);
  const directory = (8 + data.length + 1) & ~1;
  const directoryEnd = directory + 2 + entries.length * 12 + 4;
  const extra = entries.reduce((sum, [, type, values]) => {
    const bytes = sizeOf(type, values);
    return sum + (bytes > 4 ? (bytes + 1) & ~1 : 0);
  }, 0);

  const out = new Uint8Array(directoryEnd + extra);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directory, true);
  out.set(data, 8);
  view.setUint16(directory, entries.length, true);
  let free = directoryEnd;
  for (const [index, [tag, type, values]] of entries.entries()) {
    const at = directory + 2 + index * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    const bytes = sizeOf(type, values);
    let to = at + 8;
    if (bytes > 4) {
      view.setUint32(to, free, true);
      to = free;
      free += (bytes + 1) & ~1;
    }
    for (const value of values) {
      if (type === SHORT) view.setUint16(to, value, true);
      else view.setUint32(to, value, true);
      to += type === SHORT ? 2 : 4;
    }
  }
  return out;
}
