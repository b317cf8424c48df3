import { type Rng, shuffle } from '../random.js';

/** A smooth random field over space, about -1 to 1, with features one unit wide. */
export type Noise = (x: number, y: number, z: number) => number;

/** Gradient noise: at each whole point a random slope, between them a smooth blend. */
export function gradientNoise(rng: Rng): Noise {
  const order = new Uint8Array(512);
  order.set(
    shuffle(
      rng,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    ),
  );
  order.copyWithin(256, 0, 256);
  const slopes = new Float64Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const height = rng.uniform(-1, 1);
    const turn = rng.uniform(0, 2 * Math.PI);
    const radius = Math.sqrt(1 - height * height);
    slopes.set([radius * Math.cos(turn), radius * Math.sin(turn), height], i * 3);
  }
  const corner = (cell: number, dx: number, dy: number, dz: number): number => {
    const at = (order[cell] as number) * 3;
    return (slopes[at] as number) * dx + (slopes[at + 1] as number) * dy + (slopes[at + 2] as number) * dz;
  };
  /** Blends the four corners of a cell at one height; `a` and `b` are its rows at x and x + 1. */
  const square = (
    a: number,
    b: number,
    level: number,
    dx: number,
    dy: number,
    dz: number,
    u: number,
    v: number,
  ): number =>
    mix(
      mix(corner(cell(a, level), dx, dy, dz), corner(cell(b, level), dx - 1, dy, dz), u),
      mix(corner(cell(a + 1, level), dx, dy - 1, dz), corner(cell(b + 1, level), dx - 1, dy - 1, dz), u),
      v,
    );
  const cell = (row: number, level: number): number => ((order[row & 511] as number) + level) & 511;
  return (x, y, z) => {
    const ix = Math.floor(x);
    const iy = Math.floor(y);
    const iz = Math.floor(z);
    const dx = x - ix;
    const dy = y - iy;
    const dz = z - iz;
    const u = fade(dx);
    const v = fade(dy);
    const a = (order[ix & 255] as number) + (iy & 255);
    const b = (order[(ix + 1) & 255] as number) + (iy & 255);
    const near = square(a, b, iz & 255, dx, dy, dz, u, v);
    const far = square(a, b, (iz + 1) & 255, dx, dy, dz - 1, u, v);
    return 1.5 * mix(near, far, fade(dz));
  };
}

/** From `a` at 0 to `b` at 1. */
export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** 0 up to `low`, 1 from `high`, smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

function fade(t: number): number {
  return t * t * t * (t * (t * 6 - 15) + 10);
}
