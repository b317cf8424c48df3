import { describe, expect, it } from 'vitest';
import { drawTransform, IDENTITY, POST_AUGMENTATION } from '../../src/data/augmentParams.js';
import { type Dataset, openDataset, slicesOf } from '../../src/data/dataset.js';
import { type Batch, batchCount, loadBatches } from '../../src/data/loader.js';
import { expectDataError, imageFile, maskFile, smallTree, sourceOf } from './support.js';

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

/** Lets everything that can go on without the consumer go on. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('loadBatches', () => {
  it('gives the slices of the order, the last batch with what is left', async () => {
    const dataset = await openDataset(sourceOf(smallTree(2, 5)));
    const slices = slicesOf(dataset, ['P_B']);
    const order = [4, 0, 0, 2, 1];
    const batches = await all(loadBatches(dataset, slices, order, { batchSize: 2 }));
    expect(batches.map(({ items, index }) => [index, items.length])).toEqual([
      [0, 2],
      [1, 2],
      [2, 1],
    ]);
    expect(batchCount(5, 2)).toBe(3);
    const items = batches.flatMap((batch) => batch.items.map((item, i) => ({ batch, item, i })));
    for (const [position, { batch, item, i }] of items.entries()) {
      const slice = slices[order[position] as number];
      expect(item.slice).toBe(slice);
      const pixels = await dataset.read(item.slice);
      expect(batch.images.slice(i * 192, (i + 1) * 192)).toEqual(pixels.image);
      expect(batch.masks.slice(i * 64, (i + 1) * 64)).toEqual(pixels.mask);
      expect([item.min, item.max]).toEqual([Math.min(...pixels.image), Math.max(...pixels.image)]);
      expect(item.transform).toEqual(IDENTITY);
    }
    expect(batches[2]?.images.length).toBe(192);
    expect([batches[0]?.width, batches[0]?.height]).toEqual([8, 8]);
  });

  it('begun in the middle goes on exactly as from the start', async () => {
    const dataset = await openDataset(sourceOf(smallTree(2, 5)));
    const order = [3, 1, 4, 1, 5, 9, 2];
    const options = {
      batchSize: 2,
      transform: (position: number) => drawTransform(POST_AUGMENTATION, 1, 2, position),
    };
    const whole = await all(loadBatches(dataset, dataset.slices, order, options));
    const rest = await all(loadBatches(dataset, dataset.slices, order, { ...options, start: 2 }));
    expect(rest).toEqual(whole.slice(2));
    expect(whole[0]?.items[0]?.transform).not.toEqual(whole[0]?.items[1]?.transform);
  });

  it('reads ahead by as many batches as told and no further', async () => {
    for (const prefetch of [0, 1, 3]) {
      const dataset = await openDataset(sourceOf(smallTree(2, 10)), { cacheBytes: 0 });
      let read = 0;
      const counting: Dataset = {
        ...dataset,
        read: (slice) => {
          read++;
          return dataset.read(slice);
        },
      };
      const order = dataset.slices.map((_, i) => i);
      let index = 0;
      for await (const _ of loadBatches(counting, dataset.slices, order, { batchSize: 2, prefetch })) {
        await settle();
        expect(read).toBe(Math.min(20, 2 * (index + 1 + prefetch)));
        index++;
      }
      expect(index).toBe(10);
    }
  });

  it('reads while the consumer works', async () => {
    const dataset = await openDataset(sourceOf(smallTree(1, 4)), { cacheBytes: 0 });
    let open = 0;
    const slow: Dataset = {
      ...dataset,
      read: async (slice) => {
        open++;
        return dataset.read(slice);
      },
    };
    const batches = loadBatches(slow, dataset.slices, [0, 1, 2, 3], { batchSize: 1 });
    await batches.next();
    // Nothing was asked for since, and the second batch has been begun.
    expect(open).toBe(2);
    await batches.return();
  });

  it('raises a failure when its batch is due, and none when the consumer has left', async () => {
    const dataset = await openDataset(sourceOf(smallTree(1, 6)), { cacheBytes: 0 });
    const failing: Dataset = {
      ...dataset,
      read: (slice) => (slice.index === 3 ? Promise.reject(new Error('gone')) : dataset.read(slice)),
    };
    const order = [0, 1, 2, 3, 4, 5];
    const got: number[] = [];
    await expect(async () => {
      for await (const batch of loadBatches(failing, dataset.slices, order, { batchSize: 1, prefetch: 5 })) {
        got.push(batch.index);
        await settle();
      }
    }).rejects.toThrow('gone');
    expect(got).toEqual([0, 1, 2]);
    for await (const _ of loadBatches(failing, dataset.slices, order, { batchSize: 1, prefetch: 5 })) break;
  });

  it('refuses slices of several sizes, and no slices', async () => {
    const files = smallTree(1, 2);
    files.set('P_Z_1.tif', imageFile(6, 6));
    files.set('P_Z_1_mask.tif', maskFile(6, 6));
    const dataset = await openDataset(sourceOf(files));
    await expectDataError(
      () => all(loadBatches(dataset, dataset.slices, [0], { batchSize: 1 })),
      '8x8 (2,',
      '6x6 (1, such as P_Z_1.tif)',
    );
    await expectDataError(() => all(loadBatches(dataset, [], [], { batchSize: 1 })), 'no slices');
  });
});
