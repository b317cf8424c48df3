/** Nothing that a command writes may take the place of what it reads. */
import { realpath, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { FileError } from './files.js';

const SLICE = /\.tiff?$/i;

/**
 * @param flag what names the output, such as `--out`
 * @param inputs files, or folders whose slices are meant; those that are not given or not there count for nothing
 * @throws FileError where `out` is one of them, by whatever path or link
 */
export async function keepInputs(
  flag: string,
  out: string,
  inputs: readonly (string | undefined)[],
): Promise<void> {
  const target = await factsOf(out);
  if (!target) return;
  for (const input of inputs) {
    const source = input === undefined ? undefined : await factsOf(input);
    if (!source) continue;
    const same = source.dev === target.dev && source.ino === target.ino && !source.isFolder;
    const within = source.isFolder && SLICE.test(target.path) && isBelow(source.path, target.path);
    if (same || within)
      throw new FileError(`${out} is an input and would be replaced; give another ${flag}.`, out, '');
  }
}

async function factsOf(path: string) {
  try {
    const found = await stat(path, { bigint: true });
    return { dev: found.dev, ino: found.ino, isFolder: found.isDirectory(), path: await realpath(path) };
  } catch {
    // What is not there cannot be replaced; other faults are told where it is read or written.
    return undefined;
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..');
}
