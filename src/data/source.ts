import { DataError } from './error.js';

/** A file in a source. */
export interface SourceEntry {
  /** Path within the source, with `/` between the parts. */
  readonly path: string;
  /** Unpacked size in bytes. */
  readonly size: number;
  /** CRC-32 of the unpacked bytes, where the source knows it without reading them. */
  readonly crc?: number;
}

/** Where files come from: a folder, a zip, files dropped on a page. Several reads may be under way at once. */
export interface FileSource {
  /** What to call it in sentences: the folder's or the zip's path. */
  readonly name: string;
  /** All files, in code-point order of their paths. */
  list(): Promise<readonly SourceEntry[]>;
  /** The whole file. @throws DataError when there is none of that path or it cannot be read. */
  read(path: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** By code points, so that the order is the same on every machine. */
export function comparePaths(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** A source of files that are already in memory, by path. */
export function memorySource(files: ReadonlyMap<string, Uint8Array>, name = 'files in memory'): FileSource {
  const entries = Array.from(files, ([path, bytes]) => ({ path, size: bytes.length })).sort(comparePaths);
  return {
    name,
    list: async () => entries,
    async read(path) {
      const bytes = files.get(path);
      if (bytes === undefined) throw new DataError(`${name}: there is no file ${path}.`);
      return bytes;
    },
    close: async () => {},
  };
}
