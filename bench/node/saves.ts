import { watch } from 'node:fs/promises';
import path from 'node:path';

/** Editors write in several steps: what comes within this many milliseconds is one save. */
const SETTLE = 100;

/** Yields once at the start and then after each save of `file`; saves during the caller's work become one. */
export async function* saves(file: string): AsyncGenerator<void> {
  // The folder is watched, not the file: many editors save by putting a new file in its place.
  const events = watch(path.dirname(path.resolve(file)));
  const name = path.basename(file);
  let changed = false;
  let wake = (): void => {};
  const reading = (async () => {
    for await (const { filename } of events) {
      if (filename !== null && filename !== name) continue;
      changed = true;
      wake();
    }
  })();
  let failed: unknown;
  reading.catch((error: unknown) => {
    failed = error ?? new Error(`${file} cannot be watched.`);
    wake();
  });
  for (;;) {
    yield;
    while (!changed && failed === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failed !== undefined) throw failed;
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    changed = false;
  }
}
