import { DataError } from './error.js';
import { Rng } from './random.js';

/** How one item is to be transformed. */
export interface Transform {
  /** Of the resize: the new size is `floor(size * scale)`. */
  readonly scale: number;
  /** Degrees; positive turns counter-clockwise on screen. */
  readonly angle: number;
  /** Mirror left and right, after the rotation. */
  readonly flip: boolean;
}

/** From what the transforms are drawn. */
export interface Augmentation {
  /** `scale` is uniform in [1 - x, 1 + x). */
  readonly scale: number;
  /** Degrees; `angle` is uniform in [low, high). */
  readonly angle: readonly [low: number, high: number];
  /** The probability of a flip. */
  readonly flip: number;
}

export const IDENTITY: Transform = { scale: 1, angle: 0, flip: false };

/** The reference's; its rotation leans by one degree, as its own does. */
export const POST_AUGMENTATION: Augmentation = { scale: 0.05, angle: [-14, 16], flip: 0.5 };

const AUGMENT_KEY = 0x6175676d;

/**
 * An augmentation of `scale` to both sides of 1, `rotation` degrees to both sides of 0 and a flip of probability `flip`.
 *
 * @throws DataError when scale is not in [0, 1), rotation not in [0, 180] or flip not in [0, 1].
 */
export function augmentation(scale: number, rotation: number, flip: number): Augmentation {
  if (!(scale >= 0 && scale < 1))
    throw new DataError(`The augmentation's scale must be from 0 to below 1, not ${scale}.`);
  if (!(rotation >= 0 && rotation <= 180)) {
    throw new DataError(`The augmentation's rotation must be from 0 to 180 degrees, not ${rotation}.`);
  }
  if (!(flip >= 0 && flip <= 1))
    throw new DataError(`The augmentation's flip must be from 0 to 1, not ${flip}.`);
  return { scale, angle: [-rotation, rotation], flip };
}

/** The transform of the item at `position` in the epoch's order; the same whenever and in whatever order it is asked for. */
export function drawTransform(from: Augmentation, seed: number, epoch: number, position: number): Transform {
  const rng = Rng.of(AUGMENT_KEY, seed, epoch, position);
  return {
    scale: rng.uniform(1 - from.scale, 1 + from.scale),
    angle: rng.uniform(from.angle[0], from.angle[1]),
    flip: rng.uniform() < from.flip,
  };
}
