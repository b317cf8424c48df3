import { inflateSync } from 'fflate';
import { crc32 } from './crc32.js';
import { DataError } from './error.js';
import { comparePaths, type FileSource } from './source.js';
import { broken, type RangeReader, readZipDirectory, type ZipEntry } from './zipDirectory.js';

const LOCAL_MARK = 0x04034b50;
const LOCAL_SIZE = 30;
/** No slice comes near this; it bounds what one damaged or ill-meant entry can ask for. */
const MAX_ENTRY = 1 << 30;

/** Undoes raw deflate; `size` is what the result is said to measure. */
export type Inflate = (packed: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

const inflateHere: Inflate = (packed, size) => inflateSync(packed, { out: new Uint8Array(size) });

/**
 * A zip as a source of files, each unpacked in memory when it is read; nothing is written, and only the list of files
 * and the entries being read are held.
 *
 * @param file random access to the zip; closed with the source.
 * @param inflate a faster way to inflate than the built-in one, where the platform has one.
 * @throws DataError when the zip is cut short or damaged, or an entry leads out of it.
 */
export async function openZip(
  file: RangeReader,
  name: string,
  inflate: Inflate = inflateHere,
): Promise<FileSource> {
  let entries: Map<string, ZipEntry>;
  try {
    entries = new Map((await readZipDirectory(file, name)).map((entry) => [entry.path, entry]));
  } catch (error) {
    await file.close();
    throw error;
  }
  const list = [...entries.values()].map(({ path, size, crc }) => ({ path, size, crc })).sort(comparePaths);
  return {
    name,
    list: async () => list,
    async read(path) {
      const entry = entries.get(path);
      if (entry === undefined) throw new DataError(`${name}: there is no file ${path} in the zip.`);
      return readEntry(file, entry, name, inflate);
    },
    close: () => file.close(),
  };
}

async function readEntry(
  file: RangeReader,
  entry: ZipEntry,
  name: string,
  inflate: Inflate,
): Promise<Uint8Array> {
  const { path, size, packedSize, header } = entry;
  const damaged = (what: string) => broken(name, `${path}: ${what}`);
  if (entry.encrypted)
    throw new DataError(`${name}: ${path} is encrypted; make the zip anew with no password.`);
  if (entry.method !== 0 && entry.method !== 8) {
    throw new DataError(
      `${name}: ${path} is packed by method ${entry.method}; make the zip anew with deflate.`,
    );
  }
  if (size > MAX_ENTRY || packedSize > MAX_ENTRY) throw damaged(`it claims ${size} bytes`);
  // The local header's own lengths are not known before it is read; its extra field is rarely above 64 bytes.
  const guess = LOCAL_SIZE + new TextEncoder().encode(path).length + 64;
  if (header + LOCAL_SIZE > file.size) throw damaged('it starts beyond the end');
  let bytes = await file.read(header, Math.min(guess + packedSize, file.size - header));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== LOCAL_MARK) throw damaged('its header is missing');
  const start = LOCAL_SIZE + view.getUint16(26, true) + view.getUint16(28, true);
  if (header + start + packedSize > file.size) throw damaged('it ends beyond the end');
  if (start + packedSize > bytes.length) bytes = await file.read(header, start + packedSize);
  const packed = bytes.subarray(start, start + packedSize);
  let data: Uint8Array;
  try {
    data = entry.method === 0 ? packed.slice() : await inflate(packed, size);
  } catch {
    throw damaged('it does not unpack');
  }
  if (data.length !== size) throw damaged(`it unpacks to ${data.length} bytes where ${size} were packed`);
  if (crc32(data) !== entry.crc) throw damaged('its checksum is wrong');
  return data;
}
