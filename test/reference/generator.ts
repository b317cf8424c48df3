/**
 * Numbers that TypeScript and Python make alike to the bit (test/golden/generator.py is its twin): a number is a hash
 * of a seed and an index, so any part of a sequence can be made alone. All values are exact in float32.
 */

/** Mixes 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32 bits for element `index` of sequence `seed`. */
export function bits(seed: number, index: number): number {
  return mix((mix(seed) + Math.imul(index, 0x9e3779b1)) | 0);
}

/** In [0, 1), in steps of 2^-24. */
export function unit(seed: number, index: number): number {
  return (bits(seed, index) >>> 8) / 0x1000000;
}

/** `count` numbers between `low` and `high`. */
export function uniform(seed: number, count: number, low: number, high: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.fround(low + (high - low) * unit(seed, i));
  return out;
}

/** Magnitudes between `low` and `high` with either sign: for functions with a kink at zero. */
export function signed(seed: number, count: number, low: number, high: number): Float64Array {
  const magnitudes = uniform(seed, count, low, high);
  return magnitudes.map((value, i) => (bits(seed, i) & 1 ? -value : value));
}

/** `count` different numbers, evenly spaced between `low` and `high`, in random order: for maxima without ties. */
export function distinct(seed: number, count: number, low: number, high: number): Float64Array {
  const order = Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => bits(seed, a) - bits(seed, b) || a - b);
  const out = new Float64Array(count);
  order.forEach((place, rank) => {
    out[place] = Math.fround(low + ((high - low) * (rank + 0.5)) / count);
  });
  return out;
}

/** Numbers from `low` to `high`, both included, in steps of one: for ties. */
export function whole(seed: number, count: number, low: number, high: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = low + Math.floor(unit(seed, i) * (high - low + 1));
  return out;
}

/** A seed from a name (FNV-1a), so that adding a case changes no other. */
export function seedOf(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
