import { fail, shapeText } from '../errors.js';
import type { Operand } from '../kernel.js';
import { augmentImages, augmentMasks, augmentRowLength } from '../kernels/augment.js';
import type { Op } from '../op.js';
import { Tensor } from '../tensor.js';

/** What the transformed slices are: their size in pixels, and what a mask's 255 becomes. */
export interface AugmentGeometry {
  readonly height: number;
  readonly width: number;
  readonly maskValue: number;
}

/** inputs: images u8 [N, H, W, C], table */
const augmentImageOp: Op<object> = {
  name: 'augmentImage',
  inputLayout: 'contiguous',
  outputLayout: 'planes',
  lower: ({ inputs: [images, table], output }) => augmentImages(images as Operand, table as Operand, output),
};

/** inputs: masks u8 [N, H, W], table */
const augmentMaskOp: Op<{ readonly maskValue: number }> = {
  name: 'augmentMask',
  inputLayout: 'contiguous',
  outputLayout: 'planes',
  lower: ({ inputs: [masks, table], output, attrs }) =>
    augmentMasks(masks as Operand, table as Operand, output, attrs.maskValue),
};

function check(what: string, slices: Tensor, rank: number, table: Tensor): void {
  if (slices.dtype !== 'u8' || slices.rank !== rank) {
    fail(
      `${what}: slices must be u8 with ${rank} axes, but they are ${slices.dtype} ${shapeText(slices.shape)}.`,
    );
  }
  if (table.rank !== 2 || table.shape[0] !== slices.shape[0]) {
    fail(
      `${what}: the table must have a row for each of ${slices.shape[0]} slices, but it is ${shapeText(table.shape)}.`,
    );
  }
}

/** Columns of the table of transforms, whose rows `augmentRow` makes, for slices of `channels` channels. */
export const augmentColumns = augmentRowLength;

/** 8-bit slices [N, H, W, C] scaled, resized, cropped or padded, rotated and flipped: f32 [N, C, height, width]. */
export function augmentImage(images: Tensor, table: Tensor, { height, width }: AugmentGeometry): Tensor {
  check('augmentImage', images, 4, table);
  const [n, , , c] = images.shape as [number, number, number, number];
  return Tensor.of(augmentImageOp, [images, table], [n, c, height, width], {});
}

/** 8-bit masks [N, H, W], transformed as their slices: f32 [N, 1, height, width]. */
export function augmentMask(
  masks: Tensor,
  table: Tensor,
  { height, width, maskValue }: AugmentGeometry,
): Tensor {
  check('augmentMask', masks, 3, table);
  return Tensor.of(augmentMaskOp, [masks, table], [masks.shape[0] as number, 1, height, width], {
    maskValue,
  });
}
