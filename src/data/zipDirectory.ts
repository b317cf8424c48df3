import { DataError } from './error.js';

/** Bytes that can be read from any place: a file, a `Blob`, an array. */
export interface RangeReader {
  readonly size: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** An entry of a zip's central directory. */
export interface ZipEntry {
  readonly path: string;
  readonly size: number;
  readonly crc: number;
  readonly packedSize: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  /** Where the entry's local header starts. */
  readonly header: number;
}

const END_MARK = 0x06054b50;
const END_SIZE = 22;
const END64_MARK = 0x06064b50;
const LOCATOR64_MARK = 0x07064b50;
const LOCATOR64_SIZE = 20;
const ENTRY_MARK = 0x02014b50;
const ENTRY_SIZE = 46;
const MAX_COMMENT = 0xffff;
/** Of the directory alone; the public archive's is 1 MB. */
const MAX_DIRECTORY = 1 << 28;

/**
 * Reads a zip's list of files from its end, with no more than that held in memory. Folders are left out. A path that
 * would lead out of the zip's own folder is refused, whatever it is wanted for.
 *
 * @throws DataError when the zip is cut short or damaged.
 */
export async function readZipDirectory(file: RangeReader, name: string): Promise<ZipEntry[]> {
  const { offset, size, count } = await findDirectory(file, name);
  if (offset + size > file.size || size > MAX_DIRECTORY)
    throw broken(name, 'its list of files lies beyond its end');
  const bytes = await file.read(offset, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_SIZE > size || view.getUint32(at, true) !== ENTRY_MARK) {
      throw broken(name, `its list ends at file ${i} of ${count}`);
    }
    const flags = view.getUint16(at + 8, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + ENTRY_SIZE + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) throw broken(name, `its list ends at file ${i} of ${count}`);
    const path = new TextDecoder().decode(bytes.subarray(at + ENTRY_SIZE, at + ENTRY_SIZE + nameLength));
    const wide = {
      size: view.getUint32(at + 24, true),
      packedSize: view.getUint32(at + 20, true),
      header: view.getUint32(at + 42, true),
    };
    widen(wide, view, at + ENTRY_SIZE + nameLength, extraLength);
    if (!path.endsWith('/')) {
      checkPath(path, name);
      entries.push({
        path,
        ...wide,
        crc: view.getUint32(at + 16, true),
        method: view.getUint16(at + 10, true),
        encrypted: (flags & 1) !== 0,
      });
    }
    at = next;
  }
  return entries;
}

async function findDirectory(
  file: RangeReader,
  name: string,
): Promise<{ offset: number; size: number; count: number }> {
  const length = Math.min(file.size, END_SIZE + MAX_COMMENT + LOCATOR64_SIZE);
  const start = file.size - length;
  const bytes = await file.read(start, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = length - END_SIZE;
  const isEnd = (i: number) =>
    view.getUint32(i, true) === END_MARK && i + END_SIZE + view.getUint16(i + 20, true) <= length;
  while (at >= 0 && !isEnd(at)) at--;
  if (at < 0) {
    const isZip = (await file.read(0, Math.min(4, file.size)))[0] === 0x50;
    throw isZip
      ? broken(name, 'its list of files, which is at the end, is missing')
      : new DataError(`${name}: not a zip file; check what it is and where it came from.`);
  }
  const disks = view.getUint16(at + 4, true);
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const locator = at - LOCATOR64_SIZE;
    if (locator >= 0 && view.getUint32(locator, true) === LOCATOR64_MARK) {
      const end64 = Number(view.getBigUint64(locator + 8, true));
      if (end64 + 56 > file.size) throw broken(name, 'its 64-bit end record lies beyond its end');
      const record = await file.read(end64, 56);
      const view64 = new DataView(record.buffer, record.byteOffset, record.byteLength);
      if (view64.getUint32(0, true) !== END64_MARK) throw broken(name, 'its 64-bit end record is missing');
      count = Number(view64.getBigUint64(32, true));
      size = Number(view64.getBigUint64(40, true));
      offset = Number(view64.getBigUint64(48, true));
    }
  } else if (disks !== 0) {
    throw new DataError(`${name}: the zip is one part of several; join the parts into one file.`);
  }
  return { offset, size, count };
}

/** Replaces the sizes and the place that do not fit 32 bits by those of the zip64 field, which come in this order. */
function widen(
  entry: { size: number; packedSize: number; header: number },
  view: DataView,
  start: number,
  length: number,
): void {
  for (let at = start; at + 4 <= start + length; ) {
    const id = view.getUint16(at, true);
    const end = at + 4 + view.getUint16(at + 2, true);
    if (id === 1) {
      let from = at + 4;
      for (const key of ['size', 'packedSize', 'header'] as const) {
        if (entry[key] !== 0xffffffff || from + 8 > end || end > start + length) continue;
        entry[key] = Number(view.getBigUint64(from, true));
        from += 8;
      }
    }
    at = end;
  }
}

function checkPath(path: string, name: string): void {
  const parts = path.split(/[/\\]/);
  if (path.includes('\0') || parts[0] === '' || /^[a-z]:/i.test(path) || parts.includes('..')) {
    throw new DataError(
      `${name}: the entry ${JSON.stringify(path)} leads out of the zip's folder; do not use this zip, get it anew.`,
    );
  }
}

export function broken(name: string, what: string): DataError {
  return new DataError(`${name}: the zip file is cut short or damaged (${what}); download or copy it again.`);
}
