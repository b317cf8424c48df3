import { type Rng, randomNormal } from '../random.js';
import { gradientNoise, mix, smoothstep } from './noise.js';

/**
 * What is at a point of a made-up head. Coordinates are in half widths of the picture: x to the right, y to the back
 * (down in a slice), z up, the middle of the head at 0. Every share is from 0 to 1; they are blended in this order, each
 * over those before it.
 */
export interface Tissue {
  /** 0 is air. */
  head: number;
  fat: number;
  bone: number;
  marrow: number;
  /** Muscle and mucosa below the brain, where there is no bone or fat. */
  flesh: number;
  brain: number;
  /** Of the brain: 0 white matter, 1 gray. */
  gray: number;
  fluid: number;
  /** Of the fluid, what is in the ventricles. */
  ventricle: number;
  /** Bright in FLAIR along the ventricles. */
  rim: number;
  /** Bright after contrast. */
  vessel: number;
  /** How far inside the brain the point lies; negative outside. */
  depth: number;
}

/** Fills `out` with what is at (x, y, z). */
export type Anatomy = (x: number, y: number, z: number, out: Tissue) => void;

const SCALP = 0.055;
const SKULL = 0.105;
const BRAIN = 0.122;

export function newTissue(): Tissue {
  return {
    head: 0,
    fat: 0,
    bone: 0,
    marrow: 0,
    flesh: 0,
    brain: 0,
    gray: 0,
    fluid: 0,
    ventricle: 0,
    rim: 0,
    vessel: 0,
    depth: -1,
  };
}

/**
 * One head, drawn at random. `edge` is the width over which one tissue gives way to the next: a picture's pixel.
 */
export function makeAnatomy(rng: Rng, edge: number): Anatomy {
  const noise = gradientNoise(rng);
  const width = rng.uniform(0.6, 0.68);
  const length = rng.uniform(0.76, 0.86);
  const height = rng.uniform(0.88, 0.96);
  const egg = rng.uniform(0.05, 0.16);
  const ventricle = rng.uniform(0.022, 0.06);
  const lean = randomNormal(rng, 0, 0.012);
  const sulci = rng.uniform(0.08, 0.17);
  const folds = rng.uniform(5.2, 6.6);
  const scalp = SCALP * rng.uniform(0.65, 1.2);
  const above = (value: number, level: number) => smoothstep(level - edge, level + edge, value);

  return (x, y, z, out) => {
    Object.assign(out, EMPTY);
    // The head: an ellipsoid above, a rounded column below, a nose in front.
    const up = z > 0 ? z / height : z * 0.22;
    const wide = width * (1 + (egg * y) / length);
    const bumps = 0.025 * noise(2.2 * x + 7, 2.2 * y, 2.2 * z);
    const low = smoothstep(-0.15, -0.75, z);
    const nose = low * 0.1 * Math.exp(-((x / 0.16) ** 2)) * smoothstep(0, -0.5, y);
    const across = Math.hypot(x / wide, y / (length + nose), up);
    const inside = (1 - across) * 0.72 + bumps;
    out.head = above(inside, 0);
    if (out.head === 0) return;
    const texture = noise(9 * x, 9 * y, 9 * z + 40);
    // Thicker behind and where the jaw's muscles are; skin is darker than the fat below it.
    const thick = scalp * (1 + 0.35 * noise(2 * x, 2 * y + 17, 2 * z)) + low * (0.03 + 0.02 * texture);
    out.fat = (1 - above(inside, thick)) * (0.75 + 0.25 * smoothstep(0, 0.02, inside));
    out.bone = above(inside, thick) * (1 - above(inside, SKULL));
    out.marrow =
      0.6 * smoothstep(0.018, 0.004, Math.abs(inside - (thick + SKULL) / 2)) * smoothstep(-0.2, 0.4, texture);

    // The brain: all within the skull above; cerebellum, stem and temporal lobes below.
    const side = Math.abs(x);
    const whole = (z + 0.22 + 0.1 * y + 0.06 * noise(3 * x + 31, 3 * y, 0)) * 0.8;
    const hind = ellipsoid(x, y - 0.4, z + 0.46, 0.43, 0.28, 0.27);
    const lobe = ellipsoid(side - 0.36, y + 0.04, z + 0.36, 0.23, 0.36, 0.25);
    const stem = ellipsoid(x, y - 0.1, z + 0.6, 0.11, 0.12, 0.45);
    const depth = Math.min(inside - BRAIN, Math.max(whole, hind, lobe, stem));
    out.depth = depth;
    out.brain = above(depth, 0);
    const within = above(inside, SKULL);
    out.flesh = within * (1 - out.brain);
    if (out.flesh > 0) skullBase(x, y, z, texture, depth, out);
    if (depth < -0.03) return;

    // Folds: sulci run along the zeros of a bent noise field, deepest at the surface.
    const bentX = x + 0.11 * noise(3 * x, 3 * y, 3 * z + 11);
    const bentY = y + 0.11 * noise(3 * x + 5, 3 * y, 3 * z - 7);
    const cerebellum = smoothstep(0, 0.03, hind - Math.max(whole, lobe, stem));
    // Off the lattice, where gradient noise is always 0 and would draw its grid.
    const cortex =
      noise(folds * bentX + 0.37, folds * bentY + 0.53, folds * 1.1 * z + 0.41) +
      0.3 * noise(2 * folds * x + 0.21, 2 * folds * y + 0.67, 2 * folds * z + 0.83);
    // The cerebellum's folds are fine and lie across.
    const leaves = cerebellum > 0 ? noise(3 * bentX, 17 * bentY + 4 * x * x, 5 * z + 0.5) : 0;
    const fold = Math.abs(mix(cortex, leaves, cerebellum));
    const gap = Math.abs(x - lean - 0.02 * noise(0, 4 * y, 4 * z));
    const split =
      Math.max(smoothstep(0.3, 0.36, Math.abs(y + 0.02)), smoothstep(0.3, 0.42, z)) * (1 - cerebellum);
    const fissure = split * smoothstep(0.012 + 2 * edge, 0.006, gap);
    const surface = Math.min(depth, mix(1, gap, split));
    const reach = smoothstep(0.32, 0.04, depth);
    const sylvian =
      smoothstep(0.05, 0.02, Math.abs(y + 0.1 + 0.5 * z - 0.05 * texture)) * smoothstep(0.3, 0.36, side);
    const open = smoothstep(0.12, 0, Math.abs(z - 0.02)) * sylvian * smoothstep(0.25, 0.1, depth);
    const furrow = smoothstep(sulci * reach, sulci * reach * 0.35, fold) * smoothstep(0.02, 0.2, reach);
    out.gray = Math.max(
      smoothstep(0.055, 0.03, surface + 0.01 * texture),
      smoothstep(sulci * reach + 0.2 * reach, sulci * reach + 0.06 * reach, fold) *
        smoothstep(0.05, 0.3, reach),
    );
    out.gray = Math.max(
      out.gray,
      0.6 * deepGray(side, y, z, edge),
      0.75 * cerebellum * smoothstep(0.3, 0.1, fold),
    );
    const film = smoothstep(0.02, 0, depth);
    out.fluid =
      Math.max(fissure, 0.8 * furrow, open, 0.85 * film * (1 - 0.5 * cerebellum)) * above(depth, -0.015);

    const free = ventricles(side, x - lean, y, z, ventricle * (1 + 0.25 * texture));
    out.ventricle = above(free, 0);
    out.fluid = Math.max(out.fluid, out.ventricle);
    out.rim = smoothstep(-0.035, 0, free) * (1 - out.ventricle) * smoothstep(-0.3, 0.6, texture + 0.4);

    // The sagittal sinus behind and in front, and small vessels in the sulci.
    const sinus =
      smoothstep(0.04, 0.015, 1.4 * gap + Math.abs(depth)) * smoothstep(0.25, 0.45, Math.abs(y)) * (1 - low);
    const dots = smoothstep(0.62, 0.75, noise(14 * x, 14 * y, 9 * z - 23)) * Math.max(furrow, film);
    out.vessel = Math.max(sinus, dots);
  };
}

const EMPTY: Tissue = newTissue();

/** Bone, air, fat and muscle below the brain; orbits with their eyes in front. */
function skullBase(x: number, y: number, z: number, texture: number, depth: number, out: Tissue): void {
  const side = Math.abs(x);
  const low = smoothstep(-0.14, -0.2, z + 0.1 * y);
  out.bone = Math.max(
    out.bone,
    low * smoothstep(-0.02, -0.045, depth) * smoothstep(0.16, 0.06, Math.abs(texture + 0.1)),
  );
  out.bone = Math.max(out.bone, low * smoothstep(0.055, 0.03, Math.abs(depth + 0.04)));
  const orbit = ellipsoid(side - 0.27, y + 0.56, z + 0.36, 0.17, 0.22, 0.18);
  const eye = ellipsoid(side - 0.27, y + 0.62, z + 0.36, 0.115, 0.12, 0.13);
  const sinus = ellipsoid(x, y + 0.5, z + 0.5, 0.1, 0.3, 0.35);
  out.fat = Math.max(out.fat, 0.9 * smoothstep(0, 0.03, orbit), low * 0.7 * smoothstep(0.25, 0.5, texture));
  out.bone = Math.max(
    out.bone * (1 - smoothstep(-0.02, 0, orbit)),
    smoothstep(0, 0.03, sinus) * smoothstep(0.3, -0.2, texture),
  );
  const ball = smoothstep(0, 0.02, eye);
  out.fat *= 1 - ball;
  out.fluid = ball;
  out.rim = 0.5 * smoothstep(-0.03, -0.005, eye) * (1 - ball);
}

function deepGray(side: number, y: number, z: number, edge: number): number {
  const nearest = Math.max(
    ellipsoid(side - 0.12, y + 0.17, z - 0.1, 0.045, 0.1, 0.13),
    ellipsoid(side - 0.24, y + 0.03, z - 0.05, 0.06, 0.16, 0.13),
    ellipsoid(side - 0.1, y - 0.1, z - 0.06, 0.075, 0.11, 0.11),
  );
  return smoothstep(-edge, 0.015 + edge, nearest);
}

/** How far inside the ventricles, of half width `radius` at their middle; negative outside. */
function ventricles(side: number, x: number, y: number, z: number, radius: number): number {
  const level = 1 - ((z - 0.14) / 0.24) ** 2;
  const lateral =
    level <= 0
      ? -1
      : radius * Math.sqrt(level) -
        Math.min(
          toSegment(side, y, 0.085, -0.27, 0.05, -0.08),
          toSegment(side, y, 0.05, -0.08, 0.085, 0.12),
          toSegment(side, y, 0.085, 0.12, 0.21, 0.36),
        );
  const third = ellipsoid(x, y - 0.02, z + 0.06, 0.35 * radius, 0.12, 0.12);
  const fourth = ellipsoid(x, y - 0.24, z + 0.42, 0.06, 0.8 * radius, 0.12);
  return Math.max(lateral, third, fourth);
}

/** About the distance to the surface of an ellipsoid about the origin; positive inside. */
function ellipsoid(x: number, y: number, z: number, a: number, b: number, c: number): number {
  return (1 - Math.hypot(x / a, y / b, z / c)) * Math.min(a, b, c);
}

function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
