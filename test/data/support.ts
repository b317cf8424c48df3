import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { DataError } from '../../src/data/error.js';
import { Rng, randomInteger } from '../../src/data/random.js';
import { memorySource } from '../../src/data/source.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';

const SHIPPED = fileURLToPath(new URL('../../../shared/data/lgg/kaggle_3m-48-patients.zip', import.meta.url));

/** The real slices, where they are on this machine; undefined, said once, where they are not. */
export const realZip: string | undefined = (() => {
  const path = process.env.SHADERGRAD_LGG ?? SHIPPED;
  if (existsSync(path) && startsAsZip(path)) return path;
  const what = existsSync(path) ? `${path} is not a zip file` : `No real slices at ${path}`;
  console.warn(`${what}: the tests on real slices are skipped. Set SHADERGRAD_LGG to the zip's path.`);
  return undefined;
})();

function startsAsZip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(4);
    readSync(file, start, 0, 4, 0);
    return start.toString('latin1') === 'PK\u0003\u0004';
  } finally {
    closeSync(file);
  }
}

/** Bytes with runs and with noise, so that compression has both. */
export function someBytes(length: number, seed = 1): Uint8Array {
  const rng = Rng.of(seed);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = i > 0 && rng.uniform() < 0.6 ? (bytes[i - 1] as number) : randomInteger(rng, 256);
  }
  return bytes;
}

/** An image file of a slice. */
export function imageFile(width = 8, height = 8, seed = 1): Uint8Array {
  return encodeTiff({ width, height, channels: 3, data: someBytes(width * height * 3, seed) });
}

/** A mask file with `lesion` pixels of 255 and the rest 0, or with the values given. */
export function maskFile(width = 8, height = 8, lesion = 3, values = [0, 255]): Uint8Array {
  const data = Uint8Array.from({ length: width * height }, (_, i) => values[i < lesion ? 1 : 0] as number);
  return encodeTiff({ width, height, channels: 1, data });
}

/** A small tree: patients A.. with slices of 1.., each with `i` lesion pixels. */
export function smallTree(patients = 3, slices = 4): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let p = 0; p < patients; p++) {
    const id = `P_${String.fromCharCode(65 + p)}`;
    for (let n = 1; n <= slices; n++) {
      files.set(`kaggle_3m/${id}/${id}_${n}.tif`, imageFile(8, 8, p * 100 + n));
      files.set(`kaggle_3m/${id}/${id}_${n}_mask.tif`, maskFile(8, 8, p + n - 1));
    }
  }
  return files;
}

export function sourceOf(files: Map<string, Uint8Array>) {
  return memorySource(files, 'the set');
}

/** That it fails with a {@link DataError} of one sentence with all these parts. */
export async function expectDataError(act: () => unknown, ...parts: string[]): Promise<void> {
  let error: unknown;
  try {
    await act();
  } catch (caught) {
    error = caught;
  }
  expect(error, 'nothing was thrown').toBeInstanceOf(DataError);
  const { message } = error as DataError;
  for (const part of parts) expect(message).toContain(part);
  expect(message).toMatch(/^[^\n]+\.$/);
}
