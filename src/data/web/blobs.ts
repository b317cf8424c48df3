import { DataError } from '../error.js';
import { comparePaths, type FileSource } from '../source.js';
import { openZip } from '../zip.js';
import type { RangeReader } from '../zipDirectory.js';

/** Random access to a `Blob` or `File`, such as a zip chosen or dropped on a page. */
export function blobRange(blob: Blob): RangeReader {
  return {
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
    close: async () => {},
  };
}

/** A zip in a `Blob`; only what is asked for is read. @throws DataError when it is broken. */
export function openZipBlob(blob: Blob, name: string): Promise<FileSource> {
  return openZip(blobRange(blob), name);
}

/** Files by path, such as a folder's that was chosen or dropped on a page. */
export function blobSource(files: ReadonlyMap<string, Blob>, name: string): FileSource {
  const entries = Array.from(files, ([path, { size }]) => ({ path, size })).sort(comparePaths);
  return {
    name,
    list: async () => entries,
    async read(path) {
      const blob = files.get(path);
      if (blob === undefined) throw new DataError(`${name}: there is no file ${path}.`);
      return new Uint8Array(await blob.arrayBuffer());
    },
    close: async () => {},
  };
}
