/**
 * Keeps what was last used, up to a number of bytes, and makes each thing once even when it is asked for twice at a time.
 */
export class SliceCache<T> {
  readonly #limit: number;
  readonly #sizeOf: (value: T) => number;
  readonly #kept = new Map<number, T>();
  readonly #making = new Map<number, Promise<T>>();
  #bytes = 0;

  constructor(limit: number, sizeOf: (value: T) => number) {
    this.#limit = limit;
    this.#sizeOf = sizeOf;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: number, make: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return Promise.resolve(kept);
    }
    const making = this.#making.get(key);
    if (making !== undefined) return making;
    const made = make().then(
      (value) => {
        this.#making.delete(key);
        this.put(key, value);
        return value;
      },
      (error: unknown) => {
        this.#making.delete(key);
        throw error;
      },
    );
    this.#making.set(key, made);
    return made;
  }

  put(key: number, value: T): void {
    const size = this.#sizeOf(value);
    if (size > this.#limit || this.#kept.has(key)) return;
    this.#kept.set(key, value);
    this.#bytes += size;
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= this.#limit) break;
      this.#kept.delete(oldest);
      this.#bytes -= this.#sizeOf(old);
    }
  }
}
