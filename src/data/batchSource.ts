import { augmentRow, augmentRowLength, minMaxScaling } from '../engine/kernels/augment.js';
import { type Augmentation, drawTransform, IDENTITY, type Transform } from './augmentParams.js';
import { commonSize, type Dataset, type SliceRef } from './dataset.js';
import { type BatchItem, loadBatches } from './loader.js';
import {
  lesionWeights,
  type Sampler,
  sequentialSampler,
  shuffledSampler,
  weightedSampler,
} from './sampler.js';

/** A batch as programs take it, and what its items are. */
export interface SliceBatch {
  readonly count: number;
  /** [count, height, width, 3] */
  readonly images: Uint8Array<ArrayBuffer>;
  /** [count, height, width] */
  readonly masks: Uint8Array<ArrayBuffer>;
  /** A row of the augmentation table for each item. */
  readonly table: Float32Array;
  readonly items: readonly BatchItem[];
}

/** Batches of epochs, the same for the same epoch however often they are asked for. */
export interface SliceSource {
  /** Items in an epoch. */
  readonly items: number;
  readonly size: { readonly height: number; readonly width: number };
  batches(epoch: number, start: number): AsyncIterable<SliceBatch>;
}

export interface TrainingSourceOptions {
  readonly sampling: 'weighted' | 'shuffled' | 'sequential';
  readonly seed: number;
  readonly batchSize: number;
  readonly augmentation: Augmentation;
  /** Height and width of the training tensors. */
  readonly size: number;
}

const CHANNELS = 3;

function source(
  dataset: Dataset,
  slices: readonly SliceRef[],
  sampler: Sampler,
  batchSize: number,
  size: number,
  transform: (epoch: number, position: number) => Transform,
): SliceSource {
  return {
    items: sampler.length,
    size: commonSize(slices),
    async *batches(epoch, start) {
      const order = sampler.order(epoch);
      const loader = loadBatches(dataset, slices, order, {
        batchSize,
        start,
        transform: (position) => transform(epoch, position),
      });
      for await (const { images, masks, items } of loader) {
        yield { count: items.length, images, masks, items, table: tableOf(items, [size, size]) };
      }
    },
  };
}

/** The augmentation table of a batch's items, [items, augmentRowLength(3)]. */
export function tableOf(
  items: readonly Pick<BatchItem, 'transform' | 'min' | 'max'>[],
  output: readonly [height: number, width: number],
): Float32Array {
  const length = augmentRowLength(CHANNELS);
  const table = new Float32Array(items.length * length);
  items.forEach(({ transform, min, max }, i) => {
    table.set(augmentRow({ ...transform, ...minMaxScaling(min, max) }, output, CHANNELS), i * length);
  });
  return table;
}

/** Batches for training: sampled and augmented, a function of (seed, epoch, position) alone. */
export function trainingSource(
  dataset: Dataset,
  slices: readonly SliceRef[],
  options: TrainingSourceOptions,
): SliceSource {
  const { sampling, seed, batchSize, augmentation, size } = options;
  const sampler =
    sampling === 'weighted'
      ? weightedSampler(lesionWeights(slices.map(({ lesion }) => lesion)), seed)
      : sampling === 'shuffled'
        ? shuffledSampler(slices.length, seed)
        : sequentialSampler(slices.length);
  return source(dataset, slices, sampler, batchSize, size, (epoch, position) =>
    drawTransform(augmentation, seed, epoch, position),
  );
}

/** Batches for evaluation: every slice once, in order, as it is. */
export function evaluationSource(
  dataset: Dataset,
  slices: readonly SliceRef[],
  batchSize: number,
  size: number,
): SliceSource {
  return source(dataset, slices, sequentialSampler(slices.length), batchSize, size, () => IDENTITY);
}
