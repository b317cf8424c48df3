import { syntheticVolume } from '../../src/data/synthetic/volume.js';
import { flairOf, type Volume } from './library.js';

const SIZE = 128;
const SLICES = 16;
const SEED = 2026;
const HEAD = 13;

/** The sample: a made-up head with a lesion and its true mask. It shows nobody. */
export function sampleVolume(): Volume {
  const made = syntheticVolume(SIZE, SLICES, SEED, HEAD);
  const images = made.map(({ image }) => ({ width: SIZE, height: SIZE, data: image }));
  const slices = made.map(({ mask }, i) => ({
    name: `sample_${i + 1}`,
    width: SIZE,
    height: SIZE,
    gray: flairOf(images[i] as (typeof images)[number]),
    truth: mask.map((value) => (value > 0 ? 1 : 0)),
  }));
  return { view: { name: 'Synthetic sample', slices, notes: [] }, images };
}
