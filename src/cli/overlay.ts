/** A scan with outlines on it: prediction red, truth green, and where both run over the same pixels, dashes of both. */
import { type Color, Picture } from './picture.js';

export const PREDICTION: Color = [255, 64, 64];
export const TRUTH: Color = [64, 230, 96];

/** A slice to draw. Masks are [height, width]; what is not 0 is lesion. */
export interface OverlaySlice {
  readonly width: number;
  readonly height: number;
  /** [height, width], or RGB [height, width, 3], of which FLAIR (channel 1) is shown. */
  readonly image: Uint8Array;
  readonly prediction?: Uint8Array | undefined;
  readonly truth?: Uint8Array | undefined;
}

export interface OverlayOptions {
  /** Pixels of the picture for one of the slice; a whole number. */
  readonly scale?: number;
  /** Width of the outlines in pixels of the picture; 1 at scale 1, else 2. */
  readonly lineWidth?: number;
  /** Spread the slice's gray values over black to white; on by default. */
  readonly stretch?: boolean;
}

/** Pixels of a dash along a row. */
const DASH = 12;

/** Draws a slice with the outlines of the masks it has. */
export function overlay(slice: OverlaySlice, options: OverlayOptions = {}): Picture {
  const { width, height, prediction, truth } = slice;
  const { scale = 1, stretch = true } = options;
  const lineWidth = options.lineWidth ?? Math.min(scale, 2);
  const values = flair(slice);
  const picture = Picture.gray(width, height, stretch ? spread(values) : values).enlarge(scale);
  const red = prediction && outline(prediction, width, height, scale, lineWidth);
  const green = truth && outline(truth, width, height, scale, lineWidth);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const at = y * picture.width + x;
      const isRed = red?.[at] === 1;
      const isGreen = green?.[at] === 1;
      if (isRed && isGreen) {
        // Slanted, so that an outline in any direction gets both colors.
        const first = Math.floor((2 * x + 3 * y) / (2 * DASH)) % 2 === 0;
        picture.set(x, y, first ? PREDICTION : TRUTH);
      } else if (isRed || isGreen) {
        picture.set(x, y, isRed ? PREDICTION : TRUTH);
      }
    }
  }
  return picture;
}

/** Channel 1 of an RGB slice, or the one channel there is. @throws when the samples do not fill the size */
export function flair({
  image,
  width,
  height,
}: Pick<OverlaySlice, 'image' | 'width' | 'height'>): Uint8Array {
  const pixels = width * height;
  if (image.length === pixels) return image;
  if (image.length !== pixels * 3) {
    throw new Error(`${image.length} samples are neither gray nor RGB of ${width} x ${height} pixels.`);
  }
  return Uint8Array.from({ length: pixels }, (_, i) => image[i * 3 + 1] as number);
}

/**
 * The inner border of a mask, enlarged: 1 where a pixel of the mask has one outside it within `lineWidth` pixels up, down,
 * left or right. Beyond the picture is outside, so a lesion at the edge is closed.
 * @returns [height * scale, width * scale]
 */
export function outline(
  mask: Uint8Array,
  width: number,
  height: number,
  scale = 1,
  lineWidth = 1,
): Uint8Array {
  if (mask.length !== width * height) {
    throw new Error(`A mask of ${mask.length} pixels does not fit a slice of ${width} x ${height}.`);
  }
  const w = width * scale;
  const h = height * scale;
  const inside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < w && y < h && mask[Math.floor(y / scale) * width + Math.floor(x / scale)] !== 0;
  const border = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (!inside(x, y)) continue;
      for (let d = 1; d <= lineWidth; d++) {
        if (!inside(x - d, y) || !inside(x + d, y) || !inside(x, y - d) || !inside(x, y + d)) {
          border[y * w + x] = 1;
          break;
        }
      }
    }
  }
  return border;
}

function spread(values: Uint8Array): Uint8Array {
  let low = 255;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === low) return values;
  return values.map((value) => Math.round(((value - low) * 255) / (high - low)));
}
