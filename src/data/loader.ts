import { IDENTITY, type Transform } from './augmentParams.js';
import { commonSize, type Dataset, type SliceRef } from './dataset.js';

/** One item of a batch: which slice it is and what is to be done with it on the GPU. */
export interface BatchItem {
  readonly slice: SliceRef;
  readonly transform: Transform;
  /** The slice's least and greatest value, for min-max scaling. */
  readonly min: number;
  readonly max: number;
}

/** Slices as they lie in their files: 8-bit, nothing scaled or moved. */
export interface Batch {
  /** Its number in the epoch, from 0. */
  readonly index: number;
  /** [items, height, width, 3] */
  readonly images: Uint8Array<ArrayBuffer>;
  /** [items, height, width], 0 or 255. */
  readonly masks: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
  readonly items: readonly BatchItem[];
}

export interface BatchOptions {
  /** Items in a batch; the last holds what is left. */
  readonly batchSize: number;
  /** What to do with the item at a position of the order; nothing unless told. */
  readonly transform?: (position: number) => Transform;
  /** The batch to start with, 0 unless told. */
  readonly start?: number;
  /** Batches made ready ahead while the last one is being used; 1 unless told. */
  readonly prefetch?: number;
}

/** How many batches an epoch of `items` has. */
export function batchCount(items: number, batchSize: number): number {
  return Math.ceil(items / batchSize);
}

/**
 * The batches of one epoch. Reading goes on while the consumer works, and holds `prefetch` batches beside the one in
 * use, however many there are.
 *
 * @param slices what the order's indices stand for; all of one size.
 * @throws DataError when the slices are of several sizes, or a file cannot be read.
 */
export async function* loadBatches(
  dataset: Dataset,
  slices: readonly SliceRef[],
  order: ArrayLike<number>,
  options: BatchOptions,
): AsyncGenerator<Batch, void, undefined> {
  const { batchSize, start = 0, prefetch = 1, transform } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`batchSize must be a whole number from 1, not ${batchSize}`);
  }
  const { width, height } = commonSize(slices);
  const count = batchCount(order.length, batchSize);

  const make = async (index: number): Promise<Batch> => {
    const first = index * batchSize;
    const size = Math.min(batchSize, order.length - first);
    const images = new Uint8Array(size * height * width * 3);
    const masks = new Uint8Array(size * height * width);
    const fill = async (_: unknown, i: number): Promise<BatchItem> => {
      const position = first + i;
      const slice = slices[order[position] as number];
      if (slice === undefined)
        throw new RangeError(`the order names item ${order[position]} of ${slices.length}`);
      const pixels = await dataset.read(slice);
      images.set(pixels.image, i * height * width * 3);
      masks.set(pixels.mask, i * height * width);
      return { slice, transform: transform?.(position) ?? IDENTITY, min: slice.min, max: slice.max };
    };
    const items = await Promise.all(Array.from({ length: size }, fill));
    return { index, images, masks, width, height, items };
  };

  const ready: Promise<Batch>[] = [];
  try {
    for (let next = start, index = start; index < count; index++) {
      for (; next < count && next <= index + prefetch; next++) {
        const batch = make(next);
        // It may fail while another is in use; the failure is raised when its turn comes.
        batch.catch(() => {});
        ready.push(batch);
      }
      yield await (ready.shift() as Promise<Batch>);
    }
  } finally {
    await Promise.allSettled(ready);
  }
}
