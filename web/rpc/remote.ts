import { CodedError } from './failure.js';
import type { Api, ArgumentOf, Call, Reply, ResultOf } from './messages.js';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CodedError) => void;
}

/** A worker as the page sees it: calls that answer, and events. A worker that dies rejects every call. */
export class Remote<A extends Api, E> {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private dead: CodedError | null = null;

  /** @param file of the built page, beside main.js */
  constructor(file: string, onEvent: (event: E) => void) {
    this.worker = new Worker(new URL(file, import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ('event' in data) {
        onEvent(data.event as E);
        return;
      }
      const call = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ('failure' in data) call?.reject(new CodedError(data.failure.code, data.failure.message));
      else call?.resolve(data.result);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      const why = event.message ? `: ${event.message}` : ' to load';
      this.end(new CodedError('part', `The worker ${file} failed${why}.`));
    };
  }

  /** @throws CodedError what the worker threw, or that it is gone. */
  call<N extends keyof A & string>(
    name: N,
    argument: ArgumentOf<A[N]>,
    transfer: Transferable[] = [],
  ): Promise<ResultOf<A[N]>> {
    return new Promise((resolve, reject) => {
      if (this.dead) return reject(this.dead);
      const id = this.next++;
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      const message: Call = { id, name, argument };
      this.worker.postMessage(message, transfer);
    });
  }

  /** Ends the worker at once, whatever it is at. */
  close(): void {
    this.end(new CodedError('closed', 'This part of the page was closed.'));
  }

  private end(error: CodedError): void {
    this.dead ??= error;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(this.dead);
    this.waiting.clear();
  }
}
