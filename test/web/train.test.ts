import { zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { trainingSource } from '../../src/data/batchSource.js';
import { openDataset, slicesOf } from '../../src/data/dataset.js';
import { splitByPatient } from '../../src/data/split.js';
import { syntheticFiles, syntheticSource } from '../../src/data/synthetic.js';
import { decodeWeights } from '../../src/unet/checkpoint.js';
import { smallPreset, type TrainConfig } from '../../src/unet/config.js';
import { Trainer } from '../../src/unet/train.js';
import { testDevice } from '../support/device.js';
import { drop, openWeb, patchWorker, saved, segmented, textOf } from './support.js';

const PATIENTS = 4;
const SLICES = 6;
const tiny: TrainConfig = {
  ...smallPreset,
  model: { ...smallPreset.model, depth: 3, baseChannels: 4 },
  size: 16,
  epochs: 2,
  batchSize: 4,
  lr: 0.003,
  seed: 5,
};

async function fill(page: Page, epochs = tiny.epochs): Promise<void> {
  const values = {
    Patients: PATIENTS,
    'Slices each': SLICES,
    'Size, pixels': tiny.size,
    'Base channels': tiny.model.baseChannels,
    Levels: tiny.model.depth,
    Epochs: epochs,
    Batch: tiny.batchSize,
    'Learning rate': tiny.lr,
    Seed: tiny.seed,
  };
  for (const [label, value] of Object.entries(values)) {
    const input = page.getByLabel(label, { exact: true });
    if (await input.isVisible()) await input.fill(`${value}`);
  }
}

/** The losses of every step in Node. */
async function lossesInNode(): Promise<number[]> {
  const source = syntheticSource({ patients: PATIENTS, slices: SLICES, size: tiny.size, seed: tiny.seed });
  const dataset = await openDataset(source);
  const ids = dataset.patients.map(({ id }) => id);
  const split = splitByPatient(ids, { kind: 'ratio', valid: 0.2, seed: tiny.seed });
  const slices = slicesOf(dataset, split.train);
  const trainer = new Trainer(await testDevice(), tiny, trainingSource(dataset, slices, tiny));
  const losses: number[] = [];
  for (let epoch = 0; epoch < tiny.epochs; epoch++) {
    await trainer.trainEpoch(({ losses: { loss } }) => losses.push(loss));
  }
  await trainer.destroy();
  return losses;
}

it('trains on synthetic heads, with the losses that Node has, and its weights segment', async () => {
  const { page } = await openWeb({ hash: '#train' });
  await fill(page);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText(/^Done: \d+ steps/).waitFor({ timeout: 90_000 });
  expect(await page.locator('#train-samples canvas').count()).toBe(4);
  expect(await page.locator('#loss-chart canvas').count()).toBe(1);
  // Without a pointer the legends tell the latest; under it, what lies there.
  const legend = (chart: string) => page.locator(`#${chart} .u-legend .u-value`).allTextContents();
  const figure = expect.stringMatching(/^0\.\d{3,}$/);
  expect(await legend('loss-chart')).toEqual(['10', figure, figure]);
  expect(await legend('dice-chart')).toEqual(['2', expect.stringMatching(/^0\.\d{3,}$|^0\.000$/)]);
  const plot = page.locator('#loss-chart .u-over');
  await plot.hover({ position: { x: 1, y: 50 } });
  expect(await legend('loss-chart')).toEqual(['1', figure, '–']);
  await page.mouse.move(0, 0);
  expect(await legend('loss-chart')).toEqual(['10', figure, figure]);
  expect(await textOf(page, '#train-warning')).toBe('');
  expect(await textOf(page, '#train-facts')).toMatch(/18 slices of 3 patients to train on, 6 of 1 held out/);

  const file = await saved(page, () => page.getByRole('button', { name: 'Save losses' }).click());
  const lines = new TextDecoder()
    .decode(file.bytes)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const there = lines.filter(({ kind }) => kind === 'step').map(({ loss }) => loss as number);
  const here = await lossesInNode();
  expect(there).toHaveLength(here.length);
  for (const [i, loss] of here.entries()) {
    expect(Math.abs((there[i] as number) - loss), `step ${i + 1}`).toBeLessThan(1e-4);
  }

  const weights = await saved(page, () => page.getByRole('button', { name: 'Save weights' }).click());
  expect(decodeWeights(weights.bytes, weights.name)).toMatchObject({
    config: tiny.model,
    preparation: { size: tiny.size },
  });
  await page.getByRole('button', { name: 'Use in Segment' }).click();
  await page.getByText('trained at 16 × 16').waitFor();
  await segmented(page);
});

it('warns where losses rise far, and keeps what was trained where settings are refused', async () => {
  const { page } = await openWeb({ hash: '#train' });
  await fill(page, 3);
  const rate = page.getByLabel('Learning rate', { exact: true });
  await rate.evaluate((input: HTMLInputElement) => input.removeAttribute('max'));
  await rate.fill('1000');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText(/^Done: \d+ steps/).waitFor({ timeout: 90_000 });
  expect(await textOf(page, '#train-warning')).toMatch(
    /^Warning: the training loss .* in epoch \d.*: the training diverged; start anew with a learning rate below 1000, such as 100\.$/,
  );

  await page.getByLabel('Size, pixels', { exact: true }).fill('18');
  await page.getByRole('button', { name: 'Start' }).click();
  await page
    .getByRole('alert')
    .getByText(/size must be a multiple of 4, not 18/)
    .waitFor();
  expect(await page.getByRole('button', { name: 'Save weights' }).isEnabled()).toBe(true);
  expect(await textOf(page, '#train-status')).toMatch(/^Done: /);
});

it('keeps the weights before until a new training has made a step: bad data, or a stop, take nothing', async () => {
  const { page } = await openWeb({
    hash: '#train',
    // So that there is time to stop before the first step.
    prepare: (page) =>
      patchWorker(
        page,
        'train-worker.js',
        `const request = GPUAdapter.prototype.requestDevice;
         GPUAdapter.prototype.requestDevice = async function (descriptor) {
           await new Promise((resolve) => setTimeout(resolve, 1500));
           return request.call(this, descriptor);
         }`,
      ),
  });
  const start = page.getByRole('button', { name: 'Start', exact: true });
  const weights = () => saved(page, () => page.getByRole('button', { name: 'Save weights' }).click());
  await fill(page, 1);
  await start.click();
  await page.getByText(/^Done: \d+ steps/).waitFor({ timeout: 90_000 });
  const [done, facts] = [await textOf(page, '#train-status'), await textOf(page, '#train-facts')];
  const before = await weights();

  await page.getByLabel('Own slices').click();
  const [image] = syntheticFiles({ patients: 2, slices: 4, size: 16, seed: 3 });
  if (!image) throw new Error('There are no synthetic slices.');
  await drop(page, [{ name: 'lonely.zip', bytes: zipSync({ [image.path]: image.bytes }) }]);
  // Twice: what is kept after the first must outlast the second.
  for (let i = 0; i < 2; i++) {
    await start.click();
    await page
      .getByRole('alert')
      .getByText(/no mask for/)
      .waitFor();
    expect(await textOf(page, '#train-status')).toBe(done);
    expect(await textOf(page, '#train-facts')).toBe(facts);
    expect(await page.locator('#train-samples canvas').count()).toBe(4);
    expect((await weights()).bytes).toEqual(before.bytes);
  }

  await page.getByLabel('Synthetic').click();
  await fill(page, 1000);
  await start.click();
  await page.getByText(/^(Reading slices|Compiling kernels|Warming up)/).waitFor();
  expect((await weights()).bytes).toEqual(before.bytes);
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await textOf(page, '#train-status')).toBe(done);
  expect((await weights()).bytes).toEqual(before.bytes);

  await start.click();
  await page.getByText(/^Epoch \d+, step \d+/).waitFor({ timeout: 90_000 });
  expect((await weights()).bytes).not.toEqual(before.bytes);
});

it('pauses, goes on and stops, and stays a page meanwhile', async () => {
  const { page } = await openWeb({ hash: '#train' });
  await fill(page, 1000);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText(/^Epoch \d+, step \d+/).waitFor({ timeout: 90_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText(/^Paused after step \d+ of 5000/).waitFor();
  const at = await textOf(page, '#train-status');
  await page.waitForTimeout(700);
  expect(await textOf(page, '#train-status')).toBe(at);
  const step = Number(/step (\d+)/.exec(at)?.[1]);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect
    .poll(async () => Number(/step (\d+)/.exec(await textOf(page, '#train-status'))?.[1] ?? 0), {
      timeout: 30_000,
    })
    .toBeGreaterThan(step);
  await page.getByRole('tab', { name: 'Segment' }).click();
  await page.getByRole('tab', { name: 'Train' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText(/^Stopped after step \d+/).waitFor();
  const weights = await saved(page, () => page.getByRole('button', { name: 'Save weights' }).click());
  expect(decodeWeights(weights.bytes, weights.name).config).toEqual(tiny.model);
});

it('trains on a dropped zip, names what is wrong with one, and says when the GPU is lost', async () => {
  const { page } = await openWeb({
    hash: '#train',
    prepare: (page) =>
      patchWorker(
        page,
        'train-worker.js',
        `const request = GPUAdapter.prototype.requestDevice;
         GPUAdapter.prototype.requestDevice = async function (descriptor) {
           self.lastDevice = await request.call(this, descriptor);
           return self.lastDevice;
         }`,
      ),
  });
  const files = [...syntheticFiles({ patients: 2, slices: 4, size: 16, seed: 3 })];
  const zip = (some: typeof files) =>
    zipSync(Object.fromEntries(some.map(({ path, bytes }) => [path, bytes])));
  await page.getByLabel('Own slices').click();
  await page.getByRole('button', { name: 'Start' }).click();
  await page
    .getByRole('alert')
    .getByText(/No slices were chosen/)
    .waitFor();
  expect(await textOf(page, '.failure[data-code="missing"]')).not.toContain('Mend the file');
  await drop(page, [{ name: 'lonely.zip', bytes: zip(files.filter(({ path }) => !path.includes('mask'))) }]);
  await fill(page, 1000);
  await page.getByRole('button', { name: 'Start' }).click();
  await page
    .getByRole('alert')
    .getByText(/no mask for/)
    .waitFor();
  expect(await page.getByRole('button', { name: 'Save weights' }).isEnabled()).toBe(false);
  await drop(page, [{ name: 'good.zip', bytes: zip(files) }]);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText(/^Epoch \d+, step \d+/).waitFor({ timeout: 90_000 });
  // The last: workers of runs before may still be ending.
  const worker = page.workers().findLast((one) => one.url().includes('train-worker'));
  if (!worker) throw new Error('The page has no worker that trains.');
  await worker.evaluate('self.lastDevice.destroy()');
  await page.locator('.failure[data-code="lost"]').waitFor({ timeout: 90_000 });
  expect(await page.getByRole('button', { name: 'Start', exact: true }).isEnabled()).toBe(true);
});
