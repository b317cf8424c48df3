import type { Rng } from '../random.js';
import { type Anatomy, newTissue } from './anatomy.js';
import { gradientNoise, smoothstep } from './noise.js';

/** One tumour of a head. */
export interface Lesion {
  /** Signed, in parts of its radius: above 0 is lesion, by how far. The edge is ragged. */
  at(x: number, y: number, z: number): number;
  /** Half width of the blurred edge, in parts of its radius. */
  readonly blur: number;
  /** How much brighter than white matter in FLAIR, 0 to 1. */
  readonly bright: number;
  /** Share of a fluid-filled core; dark in FLAIR, yet lesion. */
  readonly core: number;
  /** Strength of the bright ring after contrast; most have none. */
  readonly ring: number;
}

/** One to three lesions, the first the largest, each within the brain. */
export function makeLesions(rng: Rng, anatomy: Anatomy): Lesion[] {
  const lesions = [makeLesion(rng, anatomy, rng.uniform(0.12, 0.3))];
  while (lesions.length < 3 && rng.uniform() < 0.22)
    lesions.push(makeLesion(rng, anatomy, rng.uniform(0.06, 0.12)));
  return lesions;
}

function makeLesion(rng: Rng, anatomy: Anatomy, size: number): Lesion {
  const [cx, cy, cz] = placeInBrain(rng, anatomy, size);
  const noise = gradientNoise(rng);
  const turn = rng.uniform(0, Math.PI);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const stretch = rng.uniform(1, 1.7);
  const ragged = rng.uniform(0.25, 0.55);
  const grain = rng.uniform(0.9, 1.8) / size;
  const tall = size * rng.uniform(0.75, 1.2);
  const at = (x: number, y: number, z: number): number => {
    const [dx, dy, dz] = [x - cx, y - cy, z - cz];
    const along = (cos * dx + sin * dy) / (size * stretch);
    const across = (cos * dy - sin * dx) / (size / Math.sqrt(stretch));
    const near = 1 - Math.hypot(along, across, dz / tall);
    // The noise cannot reach further than this.
    if (near < -0.9) return -1;
    return (
      near +
      ragged *
        (noise(grain * dx, grain * dy, grain * dz) + 0.3 * noise(2.3 * grain * dx, 2.3 * grain * dy, 9))
    );
  };
  return {
    at,
    blur: rng.uniform(0.05, 0.2),
    bright: rng.uniform(0.55, 1),
    core: rng.uniform() < 0.3 ? rng.uniform(0.5, 1) : 0,
    ring: rng.uniform() < 0.3 ? rng.uniform(0.4, 1) : 0,
  };
}

function placeInBrain(rng: Rng, anatomy: Anatomy, size: number): readonly [number, number, number] {
  const tissue = newTissue();
  for (let tries = 0; tries < 200; tries++) {
    const x = rng.uniform(0.08, 0.45) * (rng.uniform() < 0.5 ? -1 : 1);
    const y = rng.uniform(-0.5, 0.5);
    const z = rng.uniform(-0.25, 0.5);
    anatomy(x, y, z, tissue);
    if (tissue.depth > 0.45 * size && tissue.fluid < 0.5) return [x, y, z];
  }
  // In every head drawn here the middle of a hemisphere is white matter.
  return [0.25, 0.05, 0.3];
}

/** The lesion's share of a point from its signed field; 1 deep inside. */
export function lesionShare(lesion: Lesion, field: number): number {
  return smoothstep(-lesion.blur, lesion.blur, field);
}
