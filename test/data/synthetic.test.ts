import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/dataset.js';
import { syntheticFiles, syntheticSource, syntheticVolume } from '../../src/data/synthetic.js';
import { expectDataError } from './support.js';

const PATIENTS = 8;
const volumes = Array.from({ length: PATIENTS }, (_, i) => syntheticVolume(64, 20, 1, i + 1));

describe('synthetic slices', () => {
  it('come in the layout of the real set and load as one', async () => {
    const source = syntheticSource({ patients: 3, size: 32, slices: 12 });
    const files = [...syntheticFiles({ patients: 3, size: 32, slices: 12 })];
    expect(files[0]?.path).toBe('kaggle_3m/SYN_0001_20000101/SYN_0001_20000101_1.tif');
    expect(files[1]?.path).toBe('kaggle_3m/SYN_0001_20000101/SYN_0001_20000101_1_mask.tif');
    expect(files.map(({ path }) => path).sort()).toEqual((await source.list()).map(({ path }) => path));
    for (const { path, bytes } of files) {
      expect(await source.read(path)).toEqual(bytes);
      expect((await source.list()).find((entry) => entry.path === path)?.size).toBe(bytes.length);
    }
    const { report, patients } = await openDataset(source);
    expect(report).toMatchObject({ patients: 3, slices: 36, sizes: [{ width: 32, height: 32, slices: 36 }] });
    expect(report.duplicates).toEqual([]);
    expect(patients.map(({ id }) => id)).toEqual([
      'SYN_0001_20000101',
      'SYN_0002_20000102',
      'SYN_0003_20000103',
    ]);
  });

  it('are the same for the same seed and others for another', () => {
    expect(syntheticVolume(32, 6, 1, 1)).toEqual(syntheticVolume(32, 6, 1, 1));
    expect(syntheticVolume(32, 6, 2, 1)).not.toEqual(syntheticVolume(32, 6, 1, 1));
    expect(syntheticVolume(32, 6, 1, 2)).not.toEqual(syntheticVolume(32, 6, 1, 1));
  });

  it('hold a lesion in every head, over neighbouring slices, and slices without', () => {
    let withLesion = 0;
    let largest = 0;
    for (const volume of volumes) {
      const lesion = volume.map(({ mask }) => mask.reduce((sum, v) => sum + (v === 255 ? 1 : 0), 0));
      expect(volume.every(({ mask }) => mask.every((v) => v === 0 || v === 255))).toBe(true);
      const shown = lesion.flatMap((pixels, i) => (pixels > 0 ? [i] : []));
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.length).toBeLessThan(20);
      expect(shown.some((i) => shown.includes(i + 1))).toBe(true);
      withLesion += shown.length;
      largest = Math.max(largest, ...lesion);
    }
    // The real set has a lesion on 35 of 100 slices.
    expect(withLesion / (20 * PATIENTS)).toBeGreaterThan(0.15);
    expect(withLesion / (20 * PATIENTS)).toBeLessThan(0.6);
    expect(largest).toBeGreaterThan(100);
  });

  it('end in slices that hold hardly anything', () => {
    const mean = (image: Uint8Array) => image.reduce((a, b) => a + b, 0) / image.length;
    for (const volume of volumes) {
      const levels = volume.map(({ image }) => mean(image));
      expect(levels.at(-1)).toBeLessThan(0.4 * Math.max(...levels));
    }
  });

  it('have lesions brighter in FLAIR than their surroundings, yet not told by brightness alone', () => {
    let inside = 0;
    let insideCount = 0;
    const overlap = new Float64Array(256);
    const over = new Float64Array(256);
    let lesion = 0;
    for (const volume of volumes) {
      for (const { image, mask } of volume) {
        for (let i = 0; i < mask.length; i++) {
          const flair = image[i * 3 + 1] as number;
          over[flair] = (over[flair] as number) + 1;
          if (mask[i] === 0) continue;
          overlap[flair] = (overlap[flair] as number) + 1;
          lesion++;
          inside += flair;
          insideCount++;
        }
      }
    }
    const mean = (from: Float64Array) =>
      from.reduce((sum, n, v) => sum + n * v, 0) / from.reduce((a, b) => a + b);
    expect(inside / insideCount).toBeGreaterThan(1.5 * mean(over));
    let best = 0;
    for (let level = 0, taken = 0, hit = 0; level < 256; level++) {
      taken += over[255 - level] as number;
      hit += overlap[255 - level] as number;
      best = Math.max(best, (2 * hit) / (taken + lesion));
    }
    // The Dice of the best threshold there is.
    expect(best).toBeLessThan(0.5);
    expect(best).toBeGreaterThan(0);
  });

  it('refuse what cannot be made', async () => {
    await expectDataError(() => syntheticSource({ patients: 0 }), 'patients', 'not 0');
    await expectDataError(() => [...syntheticFiles({ patients: 1, size: 3 })], 'size', 'not 3');
    await expectDataError(() => syntheticSource({ patients: 1, slices: 1.5 }), 'slices', 'not 1.5');
    await expectDataError(() => syntheticSource({ patients: 1 }).read('x.tif'), 'x.tif');
  });
});
