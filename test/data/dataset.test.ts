import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { commonSize, openDataset, slicesOf } from '../../src/data/dataset.js';
import { openSource } from '../../src/data/node/files.js';
import { writeTree } from '../../src/data/node/writeTree.js';
import { SliceCache } from '../../src/data/sliceCache.js';
import { memorySource } from '../../src/data/source.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { openZipBlob } from '../../src/data/web/blobs.js';
import { expectDataError, imageFile, maskFile, realZip, smallTree, someBytes, sourceOf } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'shadergrad-dataset-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('openDataset', () => {
  it('pairs by name and orders slices by number, not by text', async () => {
    const files = smallTree(2, 12);
    const dataset = await openDataset(sourceOf(files));
    expect(dataset.patients.map(({ id }) => id)).toEqual(['P_A', 'P_B']);
    for (const { id, slices } of dataset.patients) {
      expect(slices.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      for (const slice of slices) {
        expect(slice.image).toBe(`kaggle_3m/${id}/${id}_${slice.number}.tif`);
        expect(slice.mask).toBe(`kaggle_3m/${id}/${id}_${slice.number}_mask.tif`);
        expect(slice.lesion).toBe((id === 'P_B' ? 1 : 0) + slice.number - 1);
      }
    }
    expect(dataset.slices.map(({ index }) => index)).toEqual(dataset.slices.map((_, i) => i));
  });

  it('tells counts, sizes, mask values and what is no slice', async () => {
    const files = smallTree(2, 3);
    files.set('kaggle_3m/data.csv', new Uint8Array(3));
    files.set('kaggle_3m/P_A/._P_A_1.tif', new Uint8Array(3));
    files.set('__MACOSX/kaggle_3m/P_A/P_A_1.tif', new Uint8Array(3));
    files.set('kaggle_3m/P_C/P_C_1.tif', imageFile(6, 10));
    files.set('kaggle_3m/P_C/P_C_1_mask.tif', maskFile(6, 10, 0));
    const seen: string[] = [];
    const onProgress = (done: number, total: number) => seen.push(`${done}/${total}`);
    const { report } = await openDataset(sourceOf(files), { onProgress });
    expect(report).toEqual({
      patients: 3,
      slices: 7,
      lesionSlices: 5,
      lesionPixels: 0 + 1 + 2 + 1 + 2 + 3,
      pixels: 6 * 64 + 60,
      sizes: [
        { width: 8, height: 8, slices: 6 },
        { width: 6, height: 10, slices: 1 },
      ],
      maskValues: [0, 255],
      duplicates: [],
      duplicateTrees: [],
      ignored: ['__MACOSX/kaggle_3m/P_A/P_A_1.tif', 'kaggle_3m/P_A/._P_A_1.tif', 'kaggle_3m/data.csv'],
    });
    expect(seen).toEqual(['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7']);
  });

  it('gives pixels, minimum and maximum as they are in the files', async () => {
    const data = Uint8Array.from({ length: 12 }, (_, i) => 20 + i);
    const files = new Map([
      ['P_1.tif', encodeTiff({ width: 2, height: 2, channels: 3, data })],
      ['P_1_mask.tif', encodeTiff({ width: 2, height: 2, channels: 1, data: Uint8Array.of(0, 255, 255, 0) })],
    ]);
    const dataset = await openDataset(sourceOf(files));
    const [slice] = slicesOf(dataset, ['P']);
    expect(slice).toMatchObject({
      width: 2,
      height: 2,
      lesion: 2,
      min: 20,
      max: 31,
      patient: 'P',
      number: 1,
    });
    const pixels = await dataset.read(dataset.slices[0] as (typeof dataset.slices)[number]);
    expect([...pixels.image]).toEqual([...data]);
    expect([...pixels.mask]).toEqual([0, 255, 255, 0]);
  });

  it('takes the second copy of a tree once and tells it, in a zip and in a folder', async () => {
    const files = smallTree(2, 3);
    const twice = new Map(files);
    for (const [path, bytes] of files) if (path.includes('P_B')) twice.set(`lgg/${path}`, bytes);
    await writeTree(
      join(folder, 'twice'),
      Array.from(twice, ([path, bytes]) => ({ path, bytes })),
    );
    const zip = new Blob([new Uint8Array(zipSync(Object.fromEntries(twice)))]);
    for (const source of [await openZipBlob(zip, 'z.zip'), await openSource(join(folder, 'twice'))]) {
      const { report, slices } = await openDataset(source);
      expect(slices.length).toBe(6);
      expect(report.duplicates.length).toBe(6);
      expect(report.duplicates.every((path) => path.startsWith('lgg/'))).toBe(true);
      expect(report.duplicateTrees).toEqual(['lgg/kaggle_3m']);
      expect(slices.some(({ image }) => image.startsWith('lgg/'))).toBe(false);
    }
  });

  it('refuses two different files for one slice', async () => {
    const files = smallTree(1, 2);
    files.set('other/P_A_1.tif', imageFile(8, 8, 99));
    await expectDataError(
      () => openDataset(sourceOf(files)),
      'kaggle_3m/P_A/P_A_1.tif',
      'other/P_A_1.tif',
      'two',
    );
  });

  it('names an image with no mask and a mask with no image', async () => {
    const noMask = smallTree(2, 2);
    noMask.delete('kaggle_3m/P_B/P_B_2_mask.tif');
    await expectDataError(() => openDataset(sourceOf(noMask)), 'no mask for kaggle_3m/P_B/P_B_2.tif;');
    const noImage = smallTree(2, 2);
    noImage.delete('kaggle_3m/P_A/P_A_1.tif');
    await expectDataError(() => openDataset(sourceOf(noImage)), 'no image', 'kaggle_3m/P_A/P_A_1_mask.tif');
    const none = smallTree(2, 4);
    for (const path of none.keys()) if (path.endsWith('_mask.tif')) none.delete(path);
    await expectDataError(() => openDataset(sourceOf(none)), 'P_A_3.tif and 5 more');
  });

  it('names an empty folder and one with other things in it', async () => {
    await expectDataError(
      () => openDataset(memorySource(new Map(), 'here')),
      'here: no slices',
      'it is empty',
    );
    const other = new Map([['a.jpg', new Uint8Array(3)]]);
    await expectDataError(
      () => openDataset(memorySource(other, 'here')),
      'its one file is not named so',
      'kaggle_3m',
    );
  });

  const bad: [string, string, Uint8Array, string[]][] = [
    ['a mask of other values', 'P_A_2_mask.tif', maskFile(8, 8, 3, [0, 1]), ['holds 0, 1;', '0 and 255']],
    [
      'a mask that is a picture',
      'P_A_2_mask.tif',
      encodeTiff({ width: 8, height: 8, channels: 1, data: someBytes(64) }),
      ['values from'],
    ],
    ['a coloured mask', 'P_A_2_mask.tif', imageFile(), ['coloured']],
    ['another size', 'P_A_2_mask.tif', maskFile(8, 9), ['8x9', '8x8']],
    ['a text file', 'P_A_2.tif', new TextEncoder().encode('not an image'), ['not a TIFF file']],
    ['a file cut short', 'P_A_2.tif', imageFile().slice(0, 150), ['cut short']],
  ];
  for (const [what, name, bytes, parts] of bad) {
    it(`refuses ${what}, naming the file, and closes the source`, async () => {
      const files = smallTree(1, 3);
      files.set(`kaggle_3m/P_A/${name}`, bytes);
      let closed = 0;
      const source = { ...sourceOf(files), close: async () => void closed++ };
      await expectDataError(() => openDataset(source), `kaggle_3m/P_A/${name}`, ...parts);
      expect(closed).toBe(1);
    });
  }

  it('keeps no more pixels than it is told to, and reads the rest again', async () => {
    const files = smallTree(2, 4);
    let reads = 0;
    const source = sourceOf(files);
    const counting = {
      ...source,
      read: (path: string) => {
        reads++;
        return source.read(path);
      },
    };
    const none = await openDataset(counting, { cacheBytes: 0 });
    reads = 0;
    for (const slice of none.slices) await none.read(slice);
    expect(reads).toBe(16);
    const all = await openDataset(counting, { cacheBytes: 8 * 256 });
    reads = 0;
    for (const slice of all.slices) await all.read(slice);
    expect(reads).toBe(0);
    const one = await openDataset(counting, { cacheBytes: 256 });
    reads = 0;
    const [first] = one.slices;
    if (first === undefined) throw new Error('no slice');
    await Promise.all([one.read(first), one.read(first), one.read(first)]);
    expect(reads).toBe(2);
  });

  it('names the sizes when one is needed, and a patient that is absent', async () => {
    const files = smallTree(2, 2);
    files.set('P_C_1.tif', imageFile(6, 10));
    files.set('P_C_1_mask.tif', maskFile(6, 10));
    const dataset = await openDataset(sourceOf(files));
    expect(commonSize(slicesOf(dataset, ['P_A', 'P_B']))).toEqual({ width: 8, height: 8 });
    expect(commonSize(slicesOf(dataset, ['P_C']))).toEqual({ width: 6, height: 10 });
    await expectDataError(
      () => commonSize(dataset.slices),
      '2 sizes',
      '8x8 (4, such as',
      '6x10 (1, such as P_C_1.tif)',
    );
    await expectDataError(() => commonSize([]), 'no slices');
    await expectDataError(() => slicesOf(dataset, ['P_A', 'P_X']), 'P_X');
  });
});

describe('SliceCache', () => {
  it('drops what was used longest ago', async () => {
    const cache = new SliceCache<string>(3, (text) => text.length);
    const made: number[] = [];
    const get = (key: number) =>
      cache.get(key, async () => {
        made.push(key);
        return 'x';
      });
    for (const key of [1, 2, 3, 1, 4, 1, 3, 2]) {
      await get(key);
      expect(cache.bytes).toBeLessThanOrEqual(3);
    }
    expect(made).toEqual([1, 2, 3, 4, 2]);
  });

  it('tries again after a failure', async () => {
    const cache = new SliceCache<string>(3, (text) => text.length);
    await expect(cache.get(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(cache.get(1, async () => 'yes')).resolves.toBe('yes');
  });
});

describe.skipIf(realZip === undefined)('the real slices', () => {
  it('are found, counted and paired', async () => {
    const dataset = await openDataset(await openSource(realZip as string));
    const { report } = dataset;
    expect(report).toMatchObject({
      patients: 48,
      slices: 1789,
      lesionSlices: 621,
      lesionPixels: 1309778,
      sizes: [{ width: 256, height: 256, slices: 1789 }],
      maskValues: [0, 255],
      duplicateTrees: ['lgg-mri-segmentation/kaggle_3m'],
      ignored: ['kaggle_3m/README.md', 'kaggle_3m/data.csv'],
    });
    expect(report.duplicates.length).toBe(80);
    for (const { slices } of dataset.patients) {
      expect(slices.map(({ number }) => number)).toEqual(slices.map((_, i) => i + 1));
    }
    await dataset.close();
  });
});
