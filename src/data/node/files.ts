import type { Dirent } from 'node:fs';
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { DataError, reasonOf } from '../error.js';
import { comparePaths, type FileSource, type SourceEntry } from '../source.js';
import { type Inflate, openZip } from '../zip.js';
import type { RangeReader } from '../zipDirectory.js';

const inflateAsync = promisify(inflateRaw);
/** On the thread pool, so that it goes on beside JavaScript. One byte of slack shows an entry longer than it says. */
const inflateInPool: Inflate = (packed, size) => inflateAsync(packed, { maxOutputLength: size + 1 });

/**
 * Opens a folder, a zip file or a single image file.
 *
 * @throws DataError when there is nothing of that path, it may not be read, or the zip is broken.
 */
export async function openSource(path: string): Promise<FileSource> {
  return (await openMany(path)) ?? singleFile(path, (await withReason(path, () => stat(path))).size);
}

/** Opens a folder or a zip file of slices. @throws DataError as {@link openSource}, and where the path is that of another file. */
export async function openTree(path: string): Promise<FileSource> {
  const source = await openMany(path);
  if (source) return source;
  throw new DataError(
    `${path}: a single file, where slices with their masks are needed; give the folder or zip that holds kaggle_3m.`,
  );
}

/** Undefined where the path is that of a file that is no zip. */
async function openMany(path: string): Promise<FileSource | undefined> {
  const info = await withReason(path, () => stat(path));
  if (info.isDirectory()) return openFolder(path);
  if (!info.isFile())
    throw new DataError(`${path}: neither a file nor a folder; give a folder, a zip or an image.`);
  return /\.zip$/i.test(path) || (await startsLikeZip(path)) ? openZipFile(path) : undefined;
}

/**
 * A folder and all below it; links are followed, each folder once. Names that start with a dot are left out. A link to what
 * is not there is listed, so that reading it tells that a slice is missing.
 */
export async function openFolder(root: string): Promise<FileSource> {
  const entries: SourceEntry[] = [];
  const seen = new Set<string>();
  const dangling = new Set<string>();
  const walk = async (folder: string, prefix: string): Promise<void> => {
    const real = await withReason(folder, () => realpath(folder));
    if (seen.has(real)) return;
    seen.add(real);
    for (const item of await withReason(folder, () => readdir(folder, { withFileTypes: true }))) {
      if (item.name.startsWith('.')) continue;
      const path = join(folder, item.name);
      const kind = item.isSymbolicLink() ? await stat(path).catch(() => undefined) : item;
      if (kind?.isDirectory()) await walk(path, `${prefix}${item.name}/`);
      else if (kind?.isFile()) entries.push({ path: prefix + item.name, size: await sizeOf(kind, path) });
      else if (kind === undefined) {
        dangling.add(prefix + item.name);
        entries.push({ path: prefix + item.name, size: 0 });
      }
    }
  };
  await walk(root, '');
  entries.sort(comparePaths);
  const known = new Set(entries.map((entry) => entry.path));
  return {
    name: root,
    list: async () => entries,
    async read(path) {
      if (!known.has(path)) throw new DataError(`${root}: there is no file ${path}.`);
      if (dangling.has(path)) {
        throw new DataError(
          `${join(root, path)}: a link to a file that is not there; mend the link or remove it.`,
        );
      }
      return withReason(join(root, path), () => readFile(join(root, path)));
    },
    close: async () => {},
  };
}

/** A zip file, read where it lies: nothing is unpacked to disk, and it is never in memory as a whole. */
export async function openZipFile(path: string): Promise<FileSource> {
  return openZip(await openRange(path), path, inflateInPool);
}

/** Random access to a file. */
export async function openRange(path: string): Promise<RangeReader> {
  const file = await withReason(path, () => open(path, 'r'));
  const { size } = await file.stat();
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await withReason(path, () =>
          file.read(bytes, done, length - done, offset + done),
        );
        if (bytesRead === 0) throw new DataError(`${path}: the file became shorter while it was read.`);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

function singleFile(path: string, size: number): FileSource {
  const name = basename(path);
  return {
    name: dirname(resolve(path)),
    list: async () => [{ path: name, size }],
    async read(wanted) {
      if (wanted !== name) throw new DataError(`${path}: there is no file ${wanted} beside it.`);
      return withReason(path, () => readFile(path));
    },
    close: async () => {},
  };
}

async function startsLikeZip(path: string): Promise<boolean> {
  const file = await openRange(path);
  try {
    if (file.size < 4) return false;
    const [a, b, c, d] = await file.read(0, 4);
    return a === 0x50 && b === 0x4b && ((c === 3 && d === 4) || (c === 5 && d === 6));
  } finally {
    await file.close();
  }
}

async function sizeOf(kind: Dirent | { readonly size: number }, path: string): Promise<number> {
  return 'size' in kind ? kind.size : (await withReason(path, () => stat(path))).size;
}

/** Gives the usual refusals of the file system their sentence. */
async function withReason<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (error instanceof DataError) throw error;
    if (code === 'ENOENT') throw new DataError(`${path}: no such file or folder; check the path.`);
    if (code === 'EACCES' || code === 'EPERM') {
      throw new DataError(`${path}: may not be read; check the permissions of the file and its folders.`);
    }
    throw new DataError(`${path}: cannot be read (${reasonOf(error)}).`);
  }
}
