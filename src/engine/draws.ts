/** What is drawn from a generator beside uniform numbers: functions, so that a page has those it calls. */
import { Rng, type RngState } from './random.js';

/** A generator that goes on from a saved state. @throws RangeError where it is none */
export function rngFrom(state: RngState): Rng {
  if (state.length !== 4 || state.every((word) => word === 0) || state.some((w) => w >>> 0 !== w)) {
    throw new RangeError('a random state must be four words of 32 bits, not all zero');
  }
  return new Rng(state);
}

/** Uniform among 0 .. below - 1, with no bias; `below` is 1 to 2^32. @throws RangeError where it is not */
export function randomInteger(rng: Rng, below: number): number {
  if (!(below >= 1 && below <= 2 ** 32))
    throw new RangeError(`randomInteger(rng, below) takes 1 to 2^32, not ${below}`);
  const limit = 2 ** 32 - (2 ** 32 % below);
  for (;;) {
    const bits = rng.bits();
    if (bits < limit) return bits % below;
  }
}

/** Normally distributed. */
export function randomNormal(rng: Rng, mean = 0, deviation = 1): number {
  const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * rng.uniform());
}

/** Shuffles in place, every order as likely as any other, and gives the same array back. */
export function shuffle<T extends { readonly length: number; [index: number]: unknown }>(
  rng: Rng,
  items: T,
): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInteger(rng, i + 1);
    const held = items[i];
    items[i] = items[j];
    items[j] = held;
  }
  return items;
}
