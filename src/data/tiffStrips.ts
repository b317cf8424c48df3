import { unzlibSync } from 'fflate';

export const Compression = { NONE: 1, LZW: 5, DEFLATE: 8, PACKBITS: 32773 } as const;

/**
 * How many bytes a compressed strip unpacks to; -1 where the strip is damaged or ends without saying so. The decoder
 * fills what is missing with zeros, or never ends, so this is asked first.
 */
export function unpackedLength(strip: Uint8Array, compression: number): number {
  switch (compression) {
    case Compression.LZW:
      return lzwLength(strip);
    case Compression.PACKBITS:
      return packBitsLength(strip);
    case Compression.DEFLATE:
      try {
        return unzlibSync(strip).length;
      } catch {
        return -1;
      }
    default:
      return strip.length;
  }
}

/** Walks the codes and follows only the lengths of the strings they stand for. */
function lzwLength(strip: Uint8Array): number {
  const CLEAR = 256;
  const END = 257;
  const lengths = new Uint32Array(4096).fill(1, 0, 256);
  let next = 258;
  let bits = 9;
  let previous = -1;
  let total = 0;
  for (let at = 0; at + bits <= strip.length * 8; ) {
    const byte = at >> 3;
    const window = ((strip[byte] ?? 0) << 16) | ((strip[byte + 1] ?? 0) << 8) | (strip[byte + 2] ?? 0);
    const code = (window >> (24 - (at & 7) - bits)) & ((1 << bits) - 1);
    at += bits;
    if (code === END) return total;
    if (code === CLEAR) {
      next = 258;
      bits = 9;
      previous = -1;
      continue;
    }
    if (previous < 0 ? code > 255 : code > next || next > 4095) return -1;
    if (previous >= 0) lengths[next++] = (lengths[previous] as number) + 1;
    total += lengths[code] as number;
    previous = code;
    // TIFF widens one code early.
    if (next + 1 === 1 << bits && bits < 12) bits++;
  }
  return -1;
}

function packBitsLength(strip: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < strip.length; ) {
    const control = strip[at++] as number;
    if (control < 128) {
      at += control + 1;
      total += control + 1;
    } else if (control > 128) {
      at += 1;
      total += 257 - control;
    }
    if (at > strip.length) return -1;
  }
  return total;
}
