import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError, reasonOf } from '../error.js';

/** Writes files below a folder, making the folders they need. @throws DataError when one cannot be written. */
export async function writeTree(
  folder: string,
  files: Iterable<{ readonly path: string; readonly bytes: Uint8Array }>,
): Promise<number> {
  let written = 0;
  for (const { path, bytes } of files) {
    const full = join(folder, path);
    try {
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, bytes);
    } catch (error) {
      throw new DataError(`${full}: cannot be written (${reasonOf(error)}); check the folder and the disk.`);
    }
    written++;
  }
  return written;
}
