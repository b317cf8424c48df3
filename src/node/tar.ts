/** A regular file inside a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** Unix permission bits. */
  readonly mode: number;
  readonly data: Uint8Array;
}

const BLOCK = 512;

/** Reads the regular files of an uncompressed ustar archive; links and special files are left out. */
export function readTar(archive: Uint8Array): TarEntry[] {
  const text = new TextDecoder();
  const field = (at: number, length: number): string => {
    const bytes = archive.subarray(at, at + length);
    const end = bytes.indexOf(0);
    return text.decode(end < 0 ? bytes : bytes.subarray(0, end)).trim();
  };
  const entries: TarEntry[] = [];
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(field(at + 124, 12), 8);
    if (!Number.isInteger(size) || at + BLOCK + size > archive.length) {
      throw new Error(`The tar archive is damaged at byte ${at}.`);
    }
    const type = field(at + 156, 1);
    if (type === '' || type === '0') {
      const prefix = field(at + 257, 5) === 'ustar' ? field(at + 345, 155) : '';
      entries.push({
        name: prefix === '' ? field(at, 100) : `${prefix}/${field(at, 100)}`,
        mode: Number.parseInt(field(at + 100, 8), 8),
        data: archive.subarray(at + BLOCK, at + BLOCK + size),
      });
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}
