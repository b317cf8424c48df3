import process from 'node:process';

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
