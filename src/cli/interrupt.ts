import process from 'node:process';
import type { SliceSource } from '../data/batchSource.js';

/** A wish to stop, by Ctrl-C or by the system's request to end. */
export interface Interrupt {
  /** Which signal came; null while none has. */
  readonly signal: NodeJS.Signals | null;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Listens for SIGINT and SIGTERM, so that a run can finish its step and save. A second signal ends the process at once:
 * what was saved before is whole all the same.
 * @param onFirst told of the first signal
 */
export function watchInterrupt(onFirst: () => void): Interrupt {
  let signal: NodeJS.Signals | null = null;
  const listen = (name: NodeJS.Signals) => {
    if (signal !== null) process.exit(130);
    signal = name;
    onFirst();
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return {
    get signal() {
      return signal;
    },
    dispose() {
      process.off('SIGINT', listen);
      process.off('SIGTERM', listen);
    },
  };
}

/** A command was ended by a signal, with nothing half done: one sentence. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Thrown by a source that is asked for no more. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** The same source until a signal comes; then it throws `Interrupted` in place of its next batch. */
export function interruptible(source: SliceSource, interrupt: Interrupt): SliceSource {
  return {
    ...source,
    async *batches(epoch, start) {
      for await (const batch of source.batches(epoch, start)) {
        if (interrupt.signal !== null) throw new Interrupted(`${interrupt.signal} came.`);
        yield batch;
      }
    },
  };
}
