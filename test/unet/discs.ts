/** Small slices with a bright disc on a dim ground, whose mask is the disc: something a tiny U-Net learns in seconds. */

import { randomInteger } from '../../src/engine/draws.js';
import { augmentRow, minMaxScaling } from '../../src/engine/kernels/augment.js';
import { Rng } from '../../src/engine/random.js';
import { smallPreset, type TrainConfig } from '../../src/unet/config.js';
import type { BatchSource, HostBatch } from '../../src/unet/train.js';

export const SIZE = 16;

export function discs(count: number, seed: number): HostBatch {
  const rng = Rng.of(seed);
  const images = new Uint8Array(count * SIZE * SIZE * 3);
  const masks = new Uint8Array(count * SIZE * SIZE);
  const rows: number[] = [];
  for (let n = 0; n < count; n++) {
    const [cx, cy, r] = [rng.uniform(4, 12), rng.uniform(4, 12), rng.uniform(2, 5)];
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const inside = (x - cx) ** 2 + (y - cy) ** 2 < r * r;
        const at = (n * SIZE + y) * SIZE + x;
        masks[at] = inside ? 255 : 0;
        for (let c = 0; c < 3; c++) images[3 * at + c] = (inside ? 150 : 60) + randomInteger(rng, 60);
      }
    }
    const item = { scale: 1, angle: 0, flip: n % 2 === 1, ...minMaxScaling(60, 209) };
    rows.push(...augmentRow(item, [SIZE, SIZE], 3));
  }
  return { count, images, masks, table: Float32Array.from(rows) };
}

/** `items` discs in batches of `batchSize`, the last one smaller where they do not divide; each epoch has its own. */
export function discSource(items: number, batchSize: number): BatchSource {
  const batches = Math.ceil(items / batchSize);
  return {
    items,
    size: { height: SIZE, width: SIZE },
    async *batches(epoch, start) {
      for (let i = start; i < batches; i++) {
        yield discs(Math.min(batchSize, items - i * batchSize), 1000 * epoch + i);
      }
    },
  };
}

/** A training of seconds. */
export function tinyConfig(more: Partial<TrainConfig> = {}): TrainConfig {
  return {
    ...smallPreset,
    model: { inChannels: 3, outChannels: 1, depth: 2, baseChannels: 4, dropout: 0.3 },
    size: SIZE,
    epochs: 2,
    batchSize: 3,
    seed: 5,
    ...more,
  };
}
