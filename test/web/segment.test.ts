import { readFile } from 'node:fs/promises';
import { unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { decodeImage } from '../../src/data/image.js';
import { encodePng } from '../../src/data/png.js';
import { syntheticFiles, syntheticVolume } from '../../src/data/synthetic.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { decodeWeights } from '../../src/unet/checkpoint.js';
import { decode, encode } from '../../src/unet/safetensors.js';
import { Segmenter } from '../../src/unet/segment.js';
import { testDevice } from '../support/device.js';
import { drop, openWeb, saved, segmented, textOf } from './support.js';

const MODEL = 'web/models/synthetic-tiny.safetensors';
const SIZE = 48;

/** A patient of the data set's layout, small. */
const patient = (patients = 1) => [...syntheticFiles({ patients, slices: 5, size: SIZE, seed: 3 })];

const canvasData = (selector: string): string => {
  const canvas = document.querySelector(selector);
  return canvas instanceof HTMLCanvasElement ? canvas.toDataURL() : '';
};

it('has a sample there at once, segments it, and shows it in every way, by clicks and keys', async () => {
  const { page } = await openWeb();
  await page.getByText('Synthetic sample').waitFor();
  await segmented(page);
  expect(await textOf(page, '#caption-slice')).toMatch(/of 16, 128 × 128/);
  expect(Number(await textOf(page, '#dice-volume'))).toBeGreaterThan(0.5);

  const seen = new Set<string>();
  const look = async (): Promise<void> => {
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    seen.add(await page.evaluate(canvasData, '#slice'));
  };
  await look();
  await page.getByLabel('Fill').click();
  await look();
  await page.getByLabel('Probability').click();
  await look();
  expect(seen.size).toBe(3);
  await page.keyboard.press('p');
  await look();
  expect(seen.size).toBe(3);
  expect(await page.getByLabel('Outline').isChecked()).toBe(true);
  for (const key of ['t', 'o', '[']) {
    await page.keyboard.press(key);
    await look();
  }
  expect(seen.size).toBeGreaterThanOrEqual(5);
  expect(await page.getByLabel('Show prediction').isChecked()).toBe(false);
  expect(await textOf(page, '#opacity-value')).toBe('70%');

  const area = async (): Promise<number> => Number((await textOf(page, '#area-volume')).replace(',', ''));
  const before = await area();
  await page.getByLabel('Threshold').fill('0.9');
  const high = await area();
  expect(high).toBeLessThan(before);
  await page.keyboard.press(',');
  expect(await textOf(page, '#threshold-value')).toBe('0.85');
  expect(await area()).toBeGreaterThan(high);

  await page.locator('body').click({ position: { x: 3, y: 200 } });
  await page.keyboard.press('Home');
  expect(await textOf(page, '#caption-slice')).toMatch(/^1 of 16/);
  await page.keyboard.press('ArrowRight');
  expect(await textOf(page, '#caption-slice')).toMatch(/^2 of 16/);
  await page.getByLabel('Slice', { exact: true }).fill('7');
  expect(await textOf(page, '#caption-slice')).toMatch(/^7 of 16/);
  const box = await page.locator('#strip').boundingBox();
  if (!box) throw new Error('There is no strip.');
  await page.mouse.click(box.x + box.width - 2, box.y + 10);
  expect(await textOf(page, '#caption-slice')).toMatch(/^16 of 16/);
  expect(await page.locator('#slice').getAttribute('aria-label')).toMatch(
    /^Slice 16 of 16: \d+ lesion pixels/,
  );
});

it('opens a dropped zip of patients with true masks; what it saves is what Node predicts', async () => {
  const { page } = await openWeb();
  await segmented(page);
  const files = patient(2);
  await drop(page, [
    { name: 'two.zip', bytes: zipSync(Object.fromEntries(files.map((f) => [f.path, f.bytes]))) },
  ]);
  await page.getByLabel('Patient', { exact: true }).selectOption({ label: 'SYN_0002_20000102 (5 slices)' });
  await page.getByText('SYN_0002_20000102', { exact: true }).waitFor();
  await page.getByText('5 slices segmented').waitFor({ timeout: 60_000 });
  expect(await textOf(page, '#truth-volume')).toMatch(/^\d/);

  await page.locator('body').click({ position: { x: 3, y: 200 } });
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const weights = decodeWeights(new Uint8Array(await readFile(MODEL)), MODEL);
  const slices = syntheticVolume(SIZE, 5, 3, 2);
  const segmenter = new Segmenter(await testDevice(), weights);
  const here = await segmenter.segment({
    width: SIZE,
    height: SIZE,
    data: slices[2]?.image ?? new Uint8Array(),
  });
  await segmenter.destroy();

  const tiff = await saved(page, () => page.getByRole('button', { name: 'TIFF' }).click());
  expect(tiff.name).toBe('SYN_0002_20000102_3_mask.tif');
  const there = decodeImage(tiff.bytes, tiff.name);
  expect([there.width, there.height, there.channels]).toEqual([SIZE, SIZE, 1]);
  // Where the probability is not within rounding of the threshold.
  for (const [i, p] of here.entries()) {
    if (Math.abs(p - 0.5) > 1e-4) expect(there.data[i], `pixel ${i}`).toBe(p > 0.5 ? 255 : 0);
  }
  const png = await saved(page, () => page.getByRole('button', { name: 'PNG' }).click());
  expect(png.name).toBe('SYN_0002_20000102_3_mask.png');
  expect([...decodeImage(png.bytes, png.name).data]).toEqual([...there.data]);
  // A file that cannot be read leaves slices, patients and their masks as they are, and the status says so.
  await drop(page, [{ name: 'broken.tif', bytes: new TextEncoder().encode('II*') }]);
  await page
    .getByRole('alert')
    .getByText(/broken\.tif: /)
    .waitFor();
  expect(await textOf(page, '#segment-status')).toBe('Not opened: broken.tif. What was open stays.');
  expect(await textOf(page, '#caption-name')).toBe('SYN_0002_20000102');
  expect(await textOf(page, '#area-slice')).toMatch(/^\d/);
  const patients = page.getByLabel('Patient', { exact: true });
  await patients.selectOption({ label: 'SYN_0001_20000101 (5 slices)' });
  await page.getByText('SYN_0001_20000101', { exact: true }).waitFor();
  await patients.selectOption({ label: 'SYN_0002_20000102 (5 slices)' });
  await page.getByText('SYN_0002_20000102', { exact: true }).waitFor();
  await page.getByText('5 slices segmented').waitFor({ timeout: 60_000 });
  expect(await page.getByRole('alert').count()).toBe(0);

  await page.getByLabel('Save mask').selectOption('volume');
  const zip = await saved(page, () => page.getByRole('button', { name: 'PNG' }).click());
  expect(zip.name).toBe('SYN_0002_20000102_masks.zip');
  expect(Object.keys(unzipSync(zip.bytes))).toHaveLength(5);
});

it('takes a PNG, then its true mask, and gives Dice from then on; bad files are named and harm nothing', async () => {
  const { page } = await openWeb();
  await segmented(page);
  const [, , slice] = syntheticVolume(SIZE, 5, 3, 1);
  if (!slice) throw new Error('There is no third slice.');
  const image = encodePng({ width: SIZE, height: SIZE, channels: 3, data: slice.image });
  await page.locator('#files').setInputFiles([
    { name: 'scan.png', mimeType: 'image/png', buffer: Buffer.from(image) },
    { name: 'broken.tif', mimeType: 'image/tiff', buffer: Buffer.from('II*') },
  ]);
  await page.getByText('1 slice segmented').waitFor({ timeout: 60_000 });
  expect(await textOf(page, '#notes')).toMatch(/broken\.tif/);
  expect(await textOf(page, '#dice-slice')).toBe('–');
  expect(await page.getByLabel('Show true mask').isDisabled()).toBe(true);

  const mask = (size: number) =>
    encodeTiff({ width: size, height: size, channels: 1, data: new Uint8Array(size * size).fill(255) });
  await drop(page, [{ name: 'scan_mask.tif', bytes: mask(16) }]);
  await page.getByText('the mask is 16x16 and its slice is 48x48').waitFor();
  await drop(page, [{ name: 'scan_mask.tif', bytes: mask(SIZE) }]);
  await expect.poll(() => textOf(page, '#truth-slice')).toBe('2,304');
  const area = Number(await textOf(page, '#area-slice'));
  expect(Number(await textOf(page, '#dice-slice'))).toBeCloseTo((2 * area) / (area + SIZE * SIZE), 3);

  await drop(page, [{ name: 'notes.txt', bytes: new Uint8Array([1]) }]);
  await page.getByRole('alert').getByText('There is no TIFF or PNG image in notes.txt').waitFor();
  expect(await textOf(page, '#segment-status')).toBe('Not opened: notes.txt. What was open stays.');
  await page.getByRole('button', { name: 'Close' }).click();
  expect(await page.getByRole('alert').count()).toBe(0);
});

it('reads weights of one’s own, and caches those that it fetched until told otherwise', async () => {
  const { page } = await openWeb();
  await segmented(page);
  expect(await textOf(page, '#model-facts')).toMatch(
    /120,825 parameters, trained at 64 × 64; 245 KB fetched/,
  );
  await page.reload();
  await segmented(page);
  expect(await textOf(page, '#model-facts')).toMatch(/from the cache/);
  await page.getByRole('button', { name: 'Clear cached weights' }).click();
  await expect.poll(() => page.getByRole('button', { name: 'Clear cached weights' }).isDisabled()).toBe(true);

  await page.locator('#weights').setInputFiles(MODEL);
  await page.getByText('245 KB from your file').waitFor();
  expect(await page.getByLabel('Weights', { exact: true }).inputValue()).toBe(
    'file:synthetic-tiny.safetensors',
  );
  await segmented(page);
  await drop(page, [{ name: 'bad.safetensors', bytes: new Uint8Array(20) }]);
  await page
    .getByRole('alert')
    .getByText(/This could not be read.*bad\.safetensors/s)
    .waitFor();
  // The weights before it are in use again.
  await segmented(page);
  expect(await page.getByLabel('Weights', { exact: true }).inputValue()).toBe(
    'file:synthetic-tiny.safetensors',
  );
  expect(await page.getByRole('option', { name: /bad/ }).count()).toBe(0);
  expect(await textOf(page, '#model-facts')).toMatch(/from your file/);
  expect(
    await page
      .getByRole('alert')
      .getByText(/bad\.safetensors/)
      .count(),
  ).toBe(1);
});

/** The shipped model's bytes with a threshold in their metadata. */
async function modelWith(threshold: string): Promise<Uint8Array> {
  const { metadata, tensors } = decode(await readFile(MODEL));
  return encode(tensors, { ...Object.fromEntries(metadata), threshold });
}

it('starts at the threshold that a model tells of, and leaves it alone while that model is in use', async () => {
  const { page } = await openWeb();
  await segmented(page);
  expect(await textOf(page, '#threshold-value')).toBe('0.50');
  const area = async (): Promise<number> => Number((await textOf(page, '#area-volume')).replace(',', ''));
  const before = await area();

  await drop(page, [{ name: 'low.safetensors', bytes: await modelWith('0.125') }]);
  await page.getByText('from your file').waitFor();
  await segmented(page);
  expect(await textOf(page, '#threshold-value')).toBe('0.13');
  expect(await area()).toBeGreaterThan(before);

  await page.getByLabel('Threshold').fill('0.7');
  await drop(page, [{ name: 'bad.safetensors', bytes: await modelWith('7') }]);
  await page
    .getByRole('alert')
    .getByText(/bad\.safetensors has a threshold of 7, which is not from 0 to below 1/)
    .waitFor();
  await segmented(page);
  expect(await textOf(page, '#threshold-value')).toBe('0.70');
});
