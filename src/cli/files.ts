/**
 * Files that are whole or not there: what is written goes to a temporary file beside its place, is flushed, then renamed.
 * A kill at any moment, a full disk or a read-only folder leaves the last good file as it was.
 */
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  truncate,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** A file could not be read or written. The message is one sentence with the path, the reason and what was kept. */
export class FileError extends Error {
  override readonly name = 'FileError';
  constructor(
    message: string,
    readonly path: string,
    /** The system's code, such as ENOSPC. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission is denied',
  EPERM: 'the system does not permit it',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'a file of that name is in the way',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  EFBIG: 'the file is larger than the file system allows',
  EIO: 'the device reported an input/output error',
};

// The system takes no more than 2 GiB in one write.
const PIECE = 1 << 26;

/** What goes into a file: text, bytes, or bytes in pieces (written one after another, never joined). */
export type Content = string | Uint8Array | Iterable<Uint8Array>;

/**
 * Writes a file so that its place holds either what was there before or the whole of `content`. Makes missing folders.
 * @returns the number of bytes written
 * @throws FileError saying why, and whether an earlier file is kept.
 */
export async function atomicWrite(path: string, content: Content): Promise<number> {
  await ensureFolder(dirname(path));
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    const bytes = await writeAside(aside, content);
    await rename(aside, path);
    await flushFolder(dirname(path));
    return bytes;
  } catch (error) {
    await unlink(aside).catch(() => undefined);
    const kept =
      (await exists(path)) && codeOf(error) !== 'EISDIR'
        ? 'the earlier file is kept as it was'
        : 'nothing was written';
    throw fileError(error, 'write', path, kept);
  }
}

/**
 * Adds a line to a file and flushes it. When that fails midway the file is cut back to its earlier length,
 * so it never holds half a line. @throws FileError
 */
export async function appendLine(path: string, line: string): Promise<void> {
  let before: number | undefined;
  try {
    const handle = await open(path, 'a');
    try {
      before = (await handle.stat()).size;
      await writeAll(handle, new TextEncoder().encode(`${line}\n`));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (before !== undefined) await truncate(path, before).catch(() => undefined);
    throw fileError(error, 'add a line to', path, 'the lines before are kept');
  }
}

/** A file's bytes. @throws FileError */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw readError(error, path);
  }
}

/** A file's text. @throws FileError */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw readError(error, path);
  }
}

/** Makes a folder and its parents where missing, and gives what it made, parents first. @throws FileError */
export async function ensureFolder(path: string): Promise<string[]> {
  try {
    return await makeFolder(resolve(path));
  } catch (error) {
    throw fileError(error, 'make the folder', path, 'give another folder');
  }
}

/**
 * Level by level: Node's recursive mkdir hides the true reason behind ENOENT, and never ends where a folder that is there
 * refuses new ones with that code, as /proc does.
 */
async function makeFolder(path: string): Promise<string[]> {
  try {
    await mkdir(path);
    return [path];
  } catch (error) {
    const code = codeOf(error);
    const parent = dirname(path);
    if (code === 'ENOENT' && parent !== path && !(await exists(parent))) {
      return [...(await makeFolder(parent)), ...(await makeFolder(path))];
    } else if (!(await isFolder(path))) {
      throw error;
    }
    return [];
  }
}

/** Lets go of folders that {@link ensureFolder} made, where nothing came to lie in them. */
export async function removeEmpty(made: readonly string[]): Promise<void> {
  try {
    for (const path of [...made].reverse()) await rmdir(path);
  } catch {
    // Something lies there: it stays, and so do its parents.
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function readError(error: unknown, path: string): FileError {
  return fileError(error, 'read', path, codeOf(error) === 'ENOENT' ? 'check the path' : undefined);
}

/** Whether something lies at `path`. @throws FileError when that cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw fileError(error, 'look at', path);
  }
}

/** Whether a file of this name is one that a killed process was still writing. */
export function isLeftover(name: string): boolean {
  return /^\..+\.\d+\.part$/.test(name);
}

/** Removes the temporary files that a killed process left in `folder`. @returns how many there were */
export async function removeLeftovers(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter(isLeftover);
  await Promise.all(names.map((name) => unlink(join(folder, name))));
  return names.length;
}

/**
 * A system error as one sentence.
 * @param action what was tried, as in "Could not <action> <path>"
 * @param kept what is safe, put after a semicolon
 */
export function fileError(error: unknown, action: string, path: string, kept?: string): FileError {
  if (error instanceof FileError) return error;
  const code = codeOf(error);
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new FileError(
    `Could not ${action} ${path}: ${reason}${code === '' ? '' : ` (${code})`}${kept === undefined ? '' : `; ${kept}`}.`,
    path,
    code,
    { cause: error },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

async function writeAside(path: string, content: Content): Promise<number> {
  const handle = await open(path, 'w');
  try {
    const chunks =
      typeof content === 'string'
        ? [new TextEncoder().encode(content)]
        : content instanceof Uint8Array
          ? [content]
          : content;
    let bytes = 0;
    for (const chunk of chunks) bytes += await writeAll(handle, chunk);
    await handle.sync();
    return bytes;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<number> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(PIECE, bytes.length - at));
    at += bytesWritten;
  }
  return bytes.length;
}

/** Makes a rename last through a power cut. Some systems cannot flush a folder; the file itself is flushed all the same. */
async function flushFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error;
  }
}
