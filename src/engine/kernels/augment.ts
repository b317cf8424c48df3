import gather from '../../shaders/augment/gather.wgsl';
import { f32, type Launch, numel, type Operand, readThenWrite } from '../kernel.js';
import { isPlanes } from '../layout.js';
import { grid1d } from './grid.js';
import { WORKGROUP } from './strided.js';

/** Floats of a row of the augmentation table before the channels' shift and gain; the places are in `gather.wgsl`. */
const ROW_HEAD = 8;

/** Floats in one item's row of the augmentation table, for slices of `channels` channels. */
export function augmentRowLength(channels: number): number {
  return ROW_HEAD + 2 * channels;
}

export interface AugmentItem {
  /** The slice is resized to floor(scale * output) pixels, height and width alike. */
  readonly scale: number;
  /** Degrees; positive turns counter-clockwise on screen. */
  readonly angle: number;
  /** Mirror left and right, last. */
  readonly flip: boolean;
  /** A value v (0..255) of channel c becomes (v - shift[c]) * gain[c]. One entry stands for all channels. */
  readonly shift: readonly number[];
  readonly gain: readonly number[];
}

/**
 * Shift and gain of the min-max scaling of /255 values, (x - min) / (max - min + 1e-5), for a slice whose bytes over all
 * channels lie in min..max.
 */
export function minMaxScaling(min: number, max: number): { shift: number[]; gain: number[] } {
  return { shift: [min], gain: [1 / (max - min + 255e-5)] };
}

/**
 * One item's row of the table that {@link augment} takes.
 *
 * @param output height and width of the training tensor
 * @throws when the scale would leave no pixel
 */
export function augmentRow(
  item: AugmentItem,
  output: readonly [height: number, width: number],
  channels: number,
): Float32Array {
  const row = new Float32Array(augmentRowLength(channels));
  const height = Math.floor(output[0] * item.scale);
  const width = Math.floor(output[1] * item.scale);
  if (!(height >= 1 && width >= 1))
    throw new Error(`augment: a scale of ${item.scale} leaves nothing of ${output[0]}x${output[1]} pixels.`);
  const angle = (item.angle * Math.PI) / 180;
  row.set([height, width, Math.cos(angle), Math.sin(angle), item.flip ? 1 : 0]);
  for (let c = 0; c < channels; c++) {
    row[ROW_HEAD + 2 * c] = item.shift[c] ?? item.shift[0] ?? 0;
    row[ROW_HEAD + 2 * c + 1] = item.gain[c] ?? item.gain[0] ?? 1 / 255;
  }
  return row;
}

/** Sides up to this keep the integer arithmetic of positions within 32 bits. */
const LARGEST_SIDE = 16384;

function launch(slices: Operand, table: Operand, y: Operand, plain: number | null): Launch {
  const what = plain === null ? 'images' : 'masks';
  const [n, h, w, c] = slices.shape as readonly [number, number, number, number];
  const [yn, yc, oh, ow] = y.shape as readonly [number, number, number, number];
  if (slices.shape.length !== 4 || y.shape.length !== 4 || n !== yn || c !== yc)
    throw new Error(`augment: ${what} [${slices.shape}] do not fit the output [${y.shape}].`);
  if (!isPlanes(slices) || !isPlanes(y) || slices.dtype !== 'u8')
    throw new Error(`augment: ${what} must be bytes, and they and the output without gaps within an item.`);
  if (Math.max(h, w, oh, ow) > LARGEST_SIDE)
    throw new Error(
      `augment: a side of ${Math.max(h, w, oh, ow)} pixels is over the ${LARGEST_SIDE} that can be resized.`,
    );
  const row = table.shape[1] as number;
  if (table.shape.length !== 2 || table.shape[0] !== n || (plain === null && row !== augmentRowLength(c)))
    throw new Error(`augment: the table must be [${n}, ${augmentRowLength(c)}], not [${table.shape}].`);
  const count = n * oh * ow;
  const grid = grid1d(count, WORKGROUP);
  return {
    shader: gather,
    constants: {
      ...grid.constants,
      WORKGROUP,
      COUNT: count,
      C: c,
      H: h,
      W: w,
      OH: oh,
      OW: ow,
      SLICES_OFFSET: slices.layout.offset,
      SLICES_BATCH: slices.layout.strides[0] as number,
      ROW: row,
      TABLE_OFFSET: table.layout.offset,
      Y_OFFSET: y.layout.offset,
      Y_BATCH: y.layout.strides[0] as number,
      PLAIN: plain !== null,
      SCALE: f32(plain ?? 1),
    },
    bindings: readThenWrite([slices, table], y),
    workgroups: grid.workgroups,
    variant: what,
    flops: count * (20 + 12 * c),
    bytes: numel(slices.shape) + 4 * count * c,
  };
}

/**
 * From 8-bit slices to training tensors: values scaled, resized, cropped or padded, rotated and flipped, as each item's
 * row of the table says (see {@link augmentRow}).
 *
 * @param images u8 [N, H, W, C]; table f32 [N, augmentRowLength(C)], contiguous; output f32 [N, C, OH, OW]
 */
export function augmentImages(images: Operand, table: Operand, output: Operand): Launch[] {
  return numel(output.shape) === 0 ? [] : [launch(images, table, output, null)];
}

/** The same for masks, u8 [N, H, W] to f32 [N, 1, OH, OW]; 255 becomes `maskValue`. */
export function augmentMasks(masks: Operand, table: Operand, output: Operand, maskValue: number): Launch[] {
  const channel: Operand = {
    ...masks,
    shape: [...masks.shape, 1],
    layout: { offset: masks.layout.offset, strides: [...masks.layout.strides, 1] },
  };
  return numel(output.shape) === 0 ? [] : [launch(channel, table, output, maskValue / 255)];
}
