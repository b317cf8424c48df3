/**
 * The data pipeline step by step, each step a whole image in float64: scale the values, resize, crop or pad, rotate,
 * flip. The engine does all of it in one gather; this does none of it that way.
 */

/** Pixels [channels][height][width]. */
export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

export interface Steps {
  /** The slice is resized to floor(scale * frame). */
  readonly scale: number;
  /** Degrees; positive turns counter-clockwise on screen. */
  readonly angle: number;
  readonly flip: boolean;
  readonly frame: readonly [height: number, width: number];
}

function make(
  channels: number,
  height: number,
  width: number,
  pixel: (c: number, y: number, x: number) => number,
): Picture {
  const data = new Float64Array(channels * height * width);
  let i = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[i++] = pixel(c, y, x);
  }
  return { channels, height, width, data };
}

function get(p: Picture, c: number, y: number, x: number): number {
  return p.data[(c * p.height + y) * p.width + x] as number;
}

/** 0 outside. */
function getOrZero(p: Picture, c: number, y: number, x: number): number {
  return y >= 0 && y < p.height && x >= 0 && x < p.width ? get(p, c, y, x) : 0;
}

/** From bytes [height][width][channels]. */
export function fromBytes(
  bytes: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
): Picture {
  return make(channels, height, width, (c, y, x) => (bytes[(y * width + x) * channels + c] as number) / 255);
}

/** (x - min) / (max - min + 1e-5) over all channels together. */
export function minMax(p: Picture): Picture {
  const [min, max] = [p.data.reduce((a, b) => Math.min(a, b)), p.data.reduce((a, b) => Math.max(a, b))];
  return { ...p, data: p.data.map((v) => (v - min) / (max - min + 1e-5)) };
}

/** Bilinear, align_corners false, no antialiasing. */
export function resize(p: Picture, height: number, width: number): Picture {
  const source = (i: number, from: number, to: number) => {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const first = Math.min(from - 1, Math.floor(at));
    return { first, second: Math.min(from - 1, first + 1), weight: at - first };
  };
  return make(p.channels, height, width, (c, i, j) => {
    const y = source(i, p.height, height);
    const x = source(j, p.width, width);
    const row = (at: number) => (1 - x.weight) * get(p, c, at, x.first) + x.weight * get(p, c, at, x.second);
    return (1 - y.weight) * row(y.first) + y.weight * row(y.second);
  });
}

/** Where a frame of `frame` begins in a line of `size`: the reference's centre crop, or minus its left pad. */
function start(size: number, frame: number): number {
  const d = size - frame;
  return d > 0 ? Math.ceil(d / 2) - 1 : -Math.floor(-d / 2);
}

export function cropOrPad(p: Picture, height: number, width: number): Picture {
  const [top, left] = [start(p.height, height), start(p.width, width)];
  return make(p.channels, height, width, (c, y, x) => getOrZero(p, c, y + top, x + left));
}

/** To the nearest whole number, halves to the even one. */
function halfEven(v: number): number {
  const floor = Math.floor(v);
  const rest = v - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * About the centre, nearest pixel, 0 from outside.
 *
 * @param near where given, collects the pixels whose source lies so close to the border of two pixels that single
 *   precision may take the other one
 */
export function rotate(p: Picture, degrees: number, near?: Set<number>): Picture {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return make(p.channels, p.height, p.width, (c, row, column) => {
    const [x, y] = [column + 0.5 - p.width / 2, row + 0.5 - p.height / 2];
    const fromX = cos * x - sin * y + p.width / 2 - 0.5;
    const fromY = sin * x + cos * y + p.height / 2 - 0.5;
    const toBorder = Math.min(...[fromX, fromY].map((v) => Math.abs(v - Math.floor(v) - 0.5)));
    if (toBorder < 2e-4) near?.add(row * p.width + column);
    return getOrZero(p, c, halfEven(fromY), halfEven(fromX));
  });
}

export function flip(p: Picture): Picture {
  return make(p.channels, p.height, p.width, (c, y, x) => get(p, c, y, p.width - 1 - x));
}

/** All steps; `near` as for {@link rotate}, in pixels of the result. */
export function augment(
  p: Picture,
  { scale, angle, flip: mirror, frame }: Steps,
  near?: Set<number>,
): Picture {
  const resized = resize(p, Math.floor(frame[0] * scale), Math.floor(frame[1] * scale));
  const close = new Set<number>();
  const rotated = rotate(cropOrPad(resized, ...frame), angle, close);
  for (const i of close) {
    const x = i % frame[1];
    near?.add(mirror ? i - x + frame[1] - 1 - x : i);
  }
  return mirror ? flip(rotated) : rotated;
}
