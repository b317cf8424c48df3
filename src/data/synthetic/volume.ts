import { Rng, randomNormal } from '../random.js';
import { type Anatomy, makeAnatomy, newTissue, type Tissue } from './anatomy.js';
import { type Lesion, lesionShare, makeLesions } from './lesion.js';
import { gradientNoise, mix, smoothstep } from './noise.js';

/** A slice of a made-up head: as {@link SlicePixels} of a data set. */
export interface SyntheticSlice {
  /** [size, size, 3]: before contrast, FLAIR, after contrast. */
  readonly image: Uint8Array;
  /** [size, size], 0 or 255. */
  readonly mask: Uint8Array;
}

/** Brightness of each tissue in the three channels, against the scalp's fat. */
type Brightness = readonly [pre: number, flair: number, post: number];
const AIR: Brightness = [0.012, 0.012, 0.012];
const FLESH: Brightness = [0.36, 0.3, 0.46];
const FAT: Brightness = [0.95, 0.72, 0.9];
const BONE: Brightness = [0.07, 0.05, 0.08];
const WHITE: Brightness = [0.47, 0.33, 0.5];
const GRAY: Brightness = [0.34, 0.45, 0.39];
const FLUID: Brightness = [0.13, 0.06, 0.15];
const RIM: Brightness = [0.38, 0.66, 0.42];
const VESSEL: Brightness = [0.3, 0.2, 0.95];
const TUMOUR: Brightness = [0.29, 0.78, 0.33];
const CYST: Brightness = [0.17, 0.2, 0.19];
const LOWEST = -0.78;
const HEAD_KEY = 0x68656164;

/**
 * A head's slices from its neck to just above its top, reproducible by seed and patient number. The first slices hold no
 * brain, the last hardly anything; the lesions span neighbouring slices.
 */
export function syntheticVolume(
  size: number,
  slices: number,
  seed: number,
  patient: number,
): SyntheticSlice[] {
  const rng = Rng.of(HEAD_KEY, seed, patient);
  const edge = 1.2 / size;
  const anatomy = makeAnatomy(rng, edge);
  const scan = makeScan(rng, anatomy, edge);
  const highest = rng.uniform(0.93, 1.02);
  const lowest = LOWEST + rng.uniform(-0.08, 0.08);
  return Array.from({ length: slices }, (_, i) => {
    const z = slices === 1 ? 0.2 : mix(lowest, highest, i / (slices - 1));
    return renderSlice(size, z, scan, Rng.of(HEAD_KEY, seed, patient, i + 1));
  });
}

/** How this head was scanned. */
interface Scan {
  readonly anatomy: Anatomy;
  readonly lesions: readonly Lesion[];
  /** From picture to head: turned, shifted, scaled. */
  readonly place: { readonly cos: number; readonly sin: number; readonly dx: number; readonly dy: number };
  /** Of each channel: gain, exponent, noise. */
  readonly gain: Brightness;
  readonly contrast: Brightness;
  readonly noise: Brightness;
  /** Uneven sensitivity of the coil, per channel. */
  readonly bias: (x: number, y: number, z: number, channel: number) => number;
  /** Fine variation within a tissue. */
  readonly grain: (x: number, y: number, z: number) => number;
  readonly edge: number;
}

function makeScan(rng: Rng, anatomy: Anatomy, edge: number): Scan {
  const lesions = makeLesions(rng, anatomy);
  const turn = randomNormal(rng, 0, 0.06);
  const scale = rng.uniform(0.96, 1.08);
  const [dx, dy] = [randomNormal(rng, 0, 0.02), randomNormal(rng, 0, 0.02)];
  const field = gradientNoise(rng);
  const strength = rng.uniform(0.1, 0.45);
  const tilt = Array.from({ length: 3 }, () => ({
    x: randomNormal(rng, 0, 0.12),
    y: randomNormal(rng, 0, 0.12),
  }));
  const triple = (make: () => number): Brightness => [make(), make(), make()];
  const grainNoise = gradientNoise(rng);
  return {
    anatomy,
    lesions,
    place: { cos: Math.cos(turn) * scale, sin: Math.sin(turn) * scale, dx, dy },
    gain: triple(() => rng.uniform(0.6, 1.05)),
    contrast: triple(() => rng.uniform(0.85, 1.25)),
    noise: triple(() => rng.uniform(0.006, 0.024)),
    bias: (x, y, z, channel) => {
      const lean = tilt[channel] as { readonly x: number; readonly y: number };
      return Math.max(
        0.2,
        1 + strength * field(1.1 * x + 9 * channel, 1.1 * y, 1.1 * z) + lean.x * x + lean.y * y,
      );
    },
    grain: (x, y, z) => grainNoise(22 * x, 22 * y, 15 * z) + 0.6 * grainNoise(6 * x, 6 * y, 5 * z),
    edge,
  };
}

function renderSlice(size: number, z: number, scan: Scan, rng: Rng): SyntheticSlice {
  const clean = new Float32Array(size * size * 3);
  const mask = new Uint8Array(size * size);
  const tissue = newTissue();
  // A scan fades towards both ends of the coil, and no slice is quite as bright as the next.
  const fade = smoothstep(-1, -0.5, z) * mix(1, 0.35, smoothstep(0.8, 1, z));
  const level = [0, 1, 2].map(() => mix(0.3, 1, fade) * rng.uniform(0.95, 1.05));
  const values = new Float64Array(3);
  const { cos, sin, dx, dy } = scan.place;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const u = (2 * (column + 0.5)) / size - 1;
      const v = (2 * (row + 0.5)) / size - 1;
      const x = cos * u - sin * v + dx;
      const y = sin * u + cos * v + dy;
      const at = row * size + column;
      scan.anatomy(x, y, z, tissue);
      if (tissue.head === 0) {
        clean.set(AIR, at * 3);
        continue;
      }
      const grain = scan.grain(x, y, z);
      shade(tissue, grain, values);
      if (tissue.brain > 0) mask[at] = paintLesions(scan, x, y, z, tissue, grain, values) ? 255 : 0;
      for (let c = 0; c < 3; c++) {
        const light = values[c] as number;
        clean[at * 3 + c] =
          scan.bias(x, y, z, c) * light ** (scan.contrast[c] as number) * (level[c] as number);
      }
    }
  }
  return { image: expose(soften(clean, size), scan, rng), mask };
}

/** What the tissues at a point look like in the three channels. */
function shade(t: Tissue, grain: number, out: Float64Array): void {
  for (let c = 0; c < 3; c++) {
    const of = (brightness: Brightness) => brightness[c] as number;
    let value = mix(of(FLESH) * (1 + 0.6 * grain), of(WHITE), t.brain);
    value = mix(value, of(GRAY), t.gray * t.brain) * (1 + 0.07 * grain);
    value = mix(value, of(FAT) * (1 + 0.12 * grain), t.fat);
    value = mix(value, of(BONE), t.bone);
    value = mix(value, 0.5 * of(FAT), t.marrow);
    value = mix(value, of(RIM), 0.7 * t.rim);
    value = mix(value, of(FLUID), t.fluid);
    value = mix(value, of(VESSEL), t.vessel);
    out[c] = mix(of(AIR), value, t.head);
  }
}

/** Paints the lesions over the brain; whether the point counts as lesion. Free fluid and vessels stay as they are. */
function paintLesions(
  scan: Scan,
  x: number,
  y: number,
  z: number,
  t: Tissue,
  grain: number,
  values: Float64Array,
): boolean {
  let isLesion = false;
  for (const lesion of scan.lesions) {
    const field = lesion.at(x, y, z);
    if (field < -lesion.blur) continue;
    // Oedema keeps to the white matter more than to the cortex.
    const solid = t.brain * (1 - t.fluid) * (1 - 0.35 * t.gray);
    const share = lesionShare(lesion, field) * solid;
    const core = lesion.core * smoothstep(0.35, 0.6, field);
    const ring = lesion.ring * smoothstep(0.22, 0.32, field) * (1 - smoothstep(0.4, 0.52, field));
    for (let c = 0; c < 3; c++) {
      const mass = mix(WHITE[c] as number, TUMOUR[c] as number, lesion.bright) * (1 + 0.12 * grain);
      let value = mix(mass, CYST[c] as number, core);
      if (c === 2) value = mix(value, VESSEL[2], 0.8 * ring);
      values[c] = mix(values[c] as number, value, share);
    }
    // A sulcus within the outline is drawn over, as a reader of scans does.
    isLesion ||= field > 0 && t.brain > 0.5 && t.ventricle < 0.5;
  }
  return isLesion;
}

/** The scanner's own blur: half the pixel, an eighth of each neighbour. */
function soften(image: Float32Array, size: number): Float32Array {
  const blurred = new Float32Array(image.length);
  const line = size * 3;
  for (let row = 0; row < size; row++) {
    const up = row > 0 ? -line : 0;
    const down = row < size - 1 ? line : 0;
    for (let column = 0; column < size; column++) {
      const left = column > 0 ? -3 : 0;
      const right = column < size - 1 ? 3 : 0;
      for (let i = row * line + column * 3, end = i + 3; i < end; i++) {
        const sides =
          (image[i + up] as number) +
          (image[i + down] as number) +
          (image[i + left] as number) +
          (image[i + right] as number);
        blurred[i] = 0.5 * (image[i] as number) + 0.125 * sides;
      }
    }
  }
  return blurred;
}

/** Adds the noise of a magnitude image, which never goes below 0, and reduces to 8 bits. */
function expose(image: Float32Array, scan: Scan, rng: Rng): Uint8Array {
  const out = new Uint8Array(image.length);
  for (let i = 0; i < image.length; i++) {
    const noise = scan.noise[i % 3] as number;
    const real = (image[i] as number) + noise * bell(rng);
    const imaginary = noise * bell(rng);
    const gain = 230 * (scan.gain[i % 3] as number);
    out[i] = Math.min(255, Math.round(gain * Math.sqrt(real * real + imaginary * imaginary)));
  }
  return out;
}

/** About normal with deviation 1, as the sum of four bytes; cheap enough for every pixel. */
function bell(rng: Rng): number {
  const bits = rng.bits();
  return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}
