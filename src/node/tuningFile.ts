/** Where tuning tables lie on this machine: a file a device, in the user's folder of caches. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShaderGradError } from '../engine/errors.js';
import type { DeviceFacts } from '../engine/kernel.js';
import { isTableOf, parseTable, type TuningTable, tunedDevice } from '../engine/tuning/table.js';
import { cacheFolder } from './cacheFolder.js';

/** The file of a device's own table: below $XDG_CACHE_HOME, or ~/.cache. */
export function tuningPath(facts: DeviceFacts): string {
  const { kind, description, subgroupSize } = tunedDevice(facts);
  const name = `${kind} ${description} ${subgroupSize ?? ''}`
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '');
  return join(cacheFolder(), 'tuning', `${name}.json`);
}

/** The table in a file; null where there is no such file. @throws ShaderGradError where it cannot be read or is none */
export async function readTuning(path: string): Promise<TuningTable | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    const why = code === 'EISDIR' ? 'it is a folder; give a file' : message;
    throw new ShaderGradError(`Could not read the tuning table ${path}: ${why}.`, { cause: error });
  }
  return parseTable(text, path);
}

/** The table saved for a device; null where there is none. @throws ShaderGradError as {@link readTuning} */
export async function savedTuning(facts: DeviceFacts): Promise<TuningTable | null> {
  const table = await readTuning(tuningPath(facts));
  return table && isTableOf(table, facts) ? table : null;
}
