/** Where a command writes. Results go to `stdout`; progress and remarks to `stderr` when `stdout` is for a machine. */
export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/** The little of a Node stream that is used. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A wrong command line: one sentence; the process exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
