import type { SliceBatch } from '../../data/batchSource.js';
import type { SliceRef } from '../../data/dataset.js';
import { SegmentationMetrics } from '../../unet/metrics.js';
import { resizePlane } from '../../unet/resize.js';

/** Metrics of patients whose slices come in batches, at the slices' own size. */
export class Measuring {
  readonly metrics: SegmentationMetrics;
  private readonly depthOf = new Map<SliceRef, number>();

  constructor(slices: readonly SliceRef[], thresholds: number | readonly number[]) {
    this.metrics = new SegmentationMetrics(thresholds);
    const volumes = new Map<string, SliceRef[]>();
    for (const slice of slices) volumes.set(slice.patient, [...(volumes.get(slice.patient) ?? []), slice]);
    for (const [patient, volume] of volumes) {
      const [first] = volume;
      if (first)
        this.metrics.begin(patient, { depth: volume.length, height: first.height, width: first.width });
      volume.forEach((slice, depth) => {
        this.depthOf.set(slice, depth);
      });
    }
  }

  /** Takes a batch and its probabilities [count, 1, size, size]; gives each item's at the slice's own size. */
  add({ items, masks }: SliceBatch, probabilities: Float32Array, size: number): Float32Array[] {
    return items.map(({ slice }, i) => {
      const pixels = slice.height * slice.width;
      const plane = probabilities.subarray(i * size * size, (i + 1) * size * size);
      const resized = resizePlane(plane, size, size, slice.height, slice.width);
      const depth = this.depthOf.get(slice);
      if (depth === undefined) throw new Error(`slice ${slice.image} was not announced`);
      this.metrics.add(slice.patient, depth, resized, masks.subarray(i * pixels, (i + 1) * pixels));
      return resized;
    });
  }
}
