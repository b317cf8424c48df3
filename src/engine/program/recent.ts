interface Kept<T> {
  readonly made: Promise<T>;
  users: number;
  dropped: boolean;
}

/** What was made lately, by key. The least recently used goes first, but never while somebody still uses it. */
export class Recent<T extends { destroy(): void }> {
  readonly #kept = new Map<string, Kept<T>>();

  constructor(private readonly most: number) {}

  /** Does `work` with what `make` gives for `key`, made now or kept from before. */
  async use<R>(key: string, make: () => Promise<T>, work: (made: T) => Promise<R>): Promise<R> {
    const found = this.#kept.get(key);
    this.#kept.delete(key);
    const entry = found ?? { made: make(), users: 0, dropped: false };
    this.#kept.set(key, entry);
    entry.users++;
    if (this.#kept.size > this.most) {
      const [oldest] = this.#kept.keys();
      this.#drop(oldest as string);
    }
    try {
      return await work(await entry.made.catch((error) => this.#forget(key, entry, error)));
    } finally {
      entry.users--;
      if (entry.dropped) this.#release(entry);
    }
  }

  /** Drops everything; what is in use is destroyed when its work is done. */
  clear(): void {
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #forget(key: string, entry: Kept<T>, error: unknown): never {
    if (this.#kept.get(key) === entry) this.#kept.delete(key);
    throw error;
  }

  #drop(key: string): void {
    const entry = this.#kept.get(key);
    if (!entry) return;
    this.#kept.delete(key);
    entry.dropped = true;
    this.#release(entry);
  }

  #release(entry: Kept<T>): void {
    if (entry.users > 0) return;
    entry.made.then(
      (made) => made.destroy(),
      () => {},
    );
  }
}
