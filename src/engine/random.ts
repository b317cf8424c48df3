/** The state of an {@link Rng}: four words of 32 bits, as plain numbers for JSON. */
export type RngState = readonly [number, number, number, number];

/**
 * A seeded random generator (xoshiro128**, 2^128 - 1 period). Made from any number of keys, so that what is drawn for
 * (seed, epoch, position) needs nothing drawn before it.
 */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Goes on from a state, which is four words of 32 bits, not all zero; see `rngFrom` for one that is not known to be. */
  constructor(state: RngState) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** A generator of its own for each list of keys; each is an integer of magnitude up to 2^53. */
  static of(...keys: readonly number[]): Rng {
    let hash = 0x9e3779b9;
    for (const key of keys) {
      if (!Number.isSafeInteger(key))
        throw new RangeError(`a random seed must be a whole number, not ${key}`);
      hash = mix(hash ^ (key >>> 0));
      hash = mix((hash + 0x85ebca6b) ^ (Math.floor(key / 2 ** 32) >>> 0));
    }
    const word = (i: number) => mix(hash + Math.imul(i, 0x9e3779b9));
    // All four words are never zero at once: the mix is one to one.
    return new Rng([word(1), word(2), word(3), word(4)]);
  }

  /** A generator of its own, decided by where this one stands; this one moves on by four draws. */
  fork(): Rng {
    // Scrambled, so that parent and child share no words. xoshiro cannot be in the state of all zeros.
    const word = () => mix((this.bits() + 0x9e3779b9) >>> 0);
    return new Rng([word() || 1, word(), word(), word()]);
  }

  get state(): RngState {
    return [this.#a, this.#b, this.#c, this.#d];
  }

  /** 32 random bits. */
  bits(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c = (this.#c ^ this.#a) >>> 0;
    this.#d = (this.#d ^ this.#b) >>> 0;
    this.#b = (this.#b ^ this.#c) >>> 0;
    this.#a = (this.#a ^ this.#d) >>> 0;
    this.#c = (this.#c ^ shifted) >>> 0;
    this.#d = ((this.#d << 11) | (this.#d >>> 21)) >>> 0;
    return result;
  }

  /** Uniform in [low, high), from 53 bits. */
  uniform(low = 0, high = 1): number {
    const unit = ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) * 2 ** -53;
    return low + (high - low) * unit;
  }
}

/** A one-to-one scramble of 32 bits. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
