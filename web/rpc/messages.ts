import type { Failure } from './failure.js';

/** What a worker offers: functions of one argument. */
export type Api = Readonly<Record<string, (argument: never) => unknown>>;
export type ArgumentOf<F> = F extends (argument: infer A) => unknown ? A : never;
export type ResultOf<F> = F extends (argument: never) => infer R ? Unmoved<Awaited<R>> : never;
type Unmoved<R> = R extends Moved<infer T> ? T : R;

/** A result whose buffers are moved to the page instead of copied. */
export class Moved<T> {
  constructor(
    readonly value: T,
    readonly transfer: readonly Transferable[],
  ) {}
}

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** An event has no id; an answer has that of its call. */
export type Reply =
  | { readonly event: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure };
