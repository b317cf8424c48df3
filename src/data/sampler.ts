import { DataError } from './error.js';
import { Rng, shuffle } from './random.js';

/** The order items are taken in. What it gives for an epoch depends on nothing but its arguments and that epoch. */
export interface Sampler {
  /** Items an epoch takes. */
  readonly length: number;
  /** Indices into the list the sampler was made for. */
  order(epoch: number): Uint32Array;
}

const SHUFFLE_KEY = 0x73687566;
const WEIGHTED_KEY = 0x77656967;

/** One after the other. */
export function sequentialSampler(count: number): Sampler {
  return { length: count, order: () => Uint32Array.from({ length: count }, (_, i) => i) };
}

/** Each once, in another order each epoch. */
export function shuffledSampler(count: number, seed: number): Sampler {
  const items = sequentialSampler(count);
  return { length: count, order: (epoch) => shuffle(Rng.of(SHUFFLE_KEY, seed, epoch), items.order(epoch)) };
}

/**
 * Draws with replacement, item `i` with probability `weights[i] / sum(weights)`.
 *
 * @param draws items an epoch takes; as many as there are weights unless told.
 */
export function weightedSampler(weights: ArrayLike<number>, seed: number, draws = weights.length): Sampler {
  const upTo = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new DataError(`The weight of item ${i} must be a number from 0 up, not ${weight}.`);
    }
    total += weight;
    upTo[i] = total;
  }
  if (!(total > 0)) throw new DataError('There is nothing to draw from: no item has a weight above 0.');
  return {
    length: draws,
    order(epoch) {
      const rng = Rng.of(WEIGHTED_KEY, seed, epoch);
      return Uint32Array.from({ length: draws }, () => firstAbove(upTo, rng.uniform(0, total)));
    },
  };
}

/**
 * The reference's weights, for slices with `lesion[i]` lesion pixels: `(a_i + .1 mean(a)) / (1.1 sum(a))`, which sum to
 * 1, so that lesion slices come more often and none never. With no lesion at all, every slice is as likely.
 */
export function lesionWeights(lesion: ArrayLike<number>): Float64Array {
  const count = lesion.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += lesion[i] as number;
  if (sum === 0) return new Float64Array(count).fill(1 / count);
  const floor = (0.1 * sum) / count;
  return Float64Array.from(lesion, (pixels) => (pixels + floor) / (1.1 * sum));
}

/** The first index whose value is above `target`; the last with a weight when rounding leaves none. */
function firstAbove(upTo: Float64Array, target: number): number {
  let low = 0;
  let high = upTo.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((upTo[middle] as number) > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
