import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Device } from '../../src/engine/device.js';
import { runProfiled } from '../../src/engine/program/profile.js';
import { openNodeDevice } from '../../src/node/device.js';
import { decodeResume, encodeResume, restoreOptimizer } from '../../src/unet/checkpoint.js';
import type { TrainConfig } from '../../src/unet/config.js';
import { type HostBatch, type StepReport, Trainer, type TrainerOptions } from '../../src/unet/train.js';
import { testDevice } from '../support/device.js';
import { discSource, discs, SIZE, tinyConfig } from './discs.js';

// Compiling a training step takes seconds, and many where the machine is busy.
vi.setConfig({ testTimeout: 300_000 });

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

async function weights(trainer: Trainer): Promise<Record<string, number[]>> {
  const state = await trainer.model.stateDict();
  return Object.fromEntries([...state].map(([name, { data }]) => [name, [...data]]));
}

/** All epochs that are left; the reports of each step. */
async function finish(trainer: Trainer): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  while (trainer.progress.epoch < trainer.config.epochs)
    await trainer.trainEpoch((report) => reports.push(report));
  return reports;
}

/** Two epochs of 8 discs by threes, so that each epoch's last batch has 2. */
async function twoEpochs(
  device: Device,
  config: TrainConfig,
  options: TrainerOptions = {},
): Promise<Record<string, number[]>> {
  const trainer = new Trainer(device, config, discSource(8, 3), options);
  await finish(trainer);
  const result = await weights(trainer);
  await trainer.destroy();
  return result;
}

describe('a training', () => {
  it('reports each step in order, with the last batch as small as it is', async () => {
    const trainer = new Trainer(
      await testDevice(),
      tinyConfig({ optimizer: 'sgd', lr: 0.01 }),
      discSource(8, 3),
    );
    expect(trainer.steps).toBe(6);
    const reports: StepReport[] = [];
    const means = await trainer.trainEpoch((report) => reports.push(report));
    expect(
      reports.map(({ batch, batches, step, steps, count }) => [batch, batches, step, steps, count]),
    ).toEqual([
      [1, 3, 1, 6, 3],
      [2, 3, 2, 6, 3],
      [3, 3, 3, 6, 2],
    ]);
    const mean = reports.reduce((sum, { losses }) => sum + losses.loss, 0) / 3;
    expect(means?.loss).toBeCloseTo(mean, 12);
    expect(reports[2]?.means.loss).toBe(means?.loss);
    expect(reports[0]?.lr).toBeCloseTo(0.01 / 25, 10);
    expect(trainer.progress).toMatchObject({ epoch: 1, batch: 0, step: 3, sums: { batches: 0 } });
    await finish(trainer);
    await expect(trainer.trainEpoch(() => {})).rejects.toThrow('trainEpoch: all epochs are done.');
    await trainer.destroy();
  });

  it('gives the same bits for the same seed, and others for another', async () => {
    const device = await testDevice();
    const first = await twoEpochs(device, tinyConfig());
    const profiles: number[] = [];
    const profiled: TrainerOptions['profiled'] = async (program, inputs, scalars) => {
      const { steps, values } = await runProfiled(program, inputs, scalars);
      expect(steps).toHaveLength(program.plan.steps.length);
      profiles.push(scalars.step);
      return values;
    };
    expect(await twoEpochs(device, tinyConfig(), { profiled })).toEqual(first);
    expect(profiles).toEqual([2]);
    expect(await twoEpochs(device, tinyConfig({ seed: 6 }))).not.toEqual(first);
  });

  it('learns discs', async () => {
    const config = tinyConfig({
      epochs: 8,
      batchSize: 4,
      lr: 1e-2,
      model: { ...tinyConfig().model, dropout: 0.1 },
    });
    const trainer = new Trainer(await testDevice(), config, discSource(24, 4));
    const reports = await finish(trainer);
    const mean = (part: StepReport[]) => part.reduce((sum, { losses }) => sum + losses.loss, 0) / part.length;
    expect(mean(reports.slice(-6))).toBeLessThan(0.5 * mean(reports.slice(0, 6)));
    // What it learned holds for discs it has not seen, in eval mode.
    let right = 0;
    let all = 0;
    const unseen = {
      ...discSource(8, 4),
      batches: async function* () {
        yield discs(4, 900_001);
        yield discs(4, 900_002);
      },
    };
    await trainer.validate(unseen, (batch, probabilities) => {
      for (let n = 0; n < batch.count; n++) {
        for (let i = 0; i < SIZE * SIZE; i++) {
          const [y, x] = [Math.floor(i / SIZE), i % SIZE];
          const from = n % 2 === 1 ? y * SIZE + (SIZE - 1 - x) : i;
          all++;
          const truth = batch.masks[n * SIZE * SIZE + from] === 255;
          if ((probabilities[n * SIZE * SIZE + i] as number) > 0.5 === truth) right++;
        }
      }
    });
    expect(all).toBe(8 * SIZE * SIZE);
    expect(right / all).toBeGreaterThan(0.93);
    await trainer.destroy();
  });

  it('stops with a clear word when the loss is no number', async () => {
    const trainer = new Trainer(
      await testDevice(),
      tinyConfig({ optimizer: 'sgd', lr: 1e30, epochs: 9 }),
      discSource(8, 3),
    );
    await expect(finish(trainer)).rejects.toThrow(
      /^The loss became (NaN|Infinity|-Infinity) in epoch \d+ at step \d+ \(learning rate .*\): the training diverged; train anew with a lower learning rate\.$/,
    );
    await trainer.destroy();
  });

  it('passes on an error of its source', async () => {
    const source = discSource(8, 3);
    const broken = {
      ...source,
      async *batches(epoch: number, start: number): AsyncIterable<HostBatch> {
        for await (const batch of source.batches(epoch, start)) {
          yield batch;
          throw new Error('the disk is gone');
        }
      },
    };
    const trainer = new Trainer(await testDevice(), tinyConfig(), broken);
    await expect(trainer.trainEpoch(() => {})).rejects.toThrow('the disk is gone');
    await trainer.destroy();
  });

  it('refuses a progress that is not of this run', async () => {
    const trainer = new Trainer(await testDevice(), tinyConfig(), discSource(8, 3));
    const sums = { loss: 0, bce: 0, dice: 0, batches: 0 };
    expect(() => trainer.resume({ epoch: 3, batch: 0, step: 9, sums })).toThrow(
      /at epoch 4 of a run of 2; give more epochs/,
    );
    expect(() => trainer.resume({ epoch: 1, batch: 1, step: 7, sums })).toThrow(
      /7 steps .* epoch 2, batch 1.* 3 batches/,
    );
    trainer.resume({ epoch: 1, batch: 1, step: 4, sums });
  });
});

describe('validate()', () => {
  it('gives the mean over batches, whatever their size, in eval mode, each batch once and in order', async () => {
    const trainer = new Trainer(await testDevice(), tinyConfig(), discSource(8, 3));
    const seen: { batch: HostBatch; loss: number; bce: number; dice: number; last: number }[] = [];
    const source = discSource(7, 3);
    const means = await trainer.validate(source, (batch, probabilities, losses) => {
      expect(probabilities.length).toBe(batch.count * SIZE * SIZE);
      seen.push({ batch, ...losses, last: probabilities[probabilities.length - 1] as number });
    });
    expect(seen.map(({ batch }) => batch.count)).toEqual([3, 3, 1]);
    for (const name of ['loss', 'bce', 'dice'] as const)
      expect(means[name]).toBeCloseTo(seen.reduce((sum, one) => sum + one[name], 0) / 3, 12);
    expect(means.loss).toBeCloseTo(0.5 * means.bce + 0.5 * means.dice, 6);
    // Twice the same: nothing is dropped, nothing learned.
    const again: number[] = [];
    await trainer.validate(source, (_batch, probabilities) =>
      again.push(probabilities[probabilities.length - 1] as number),
    );
    expect(again).toEqual(seen.map(({ last }) => last));
    await trainer.destroy();
  });
});

describe('resuming', () => {
  const opened: Device[] = [];
  afterAll(async () => {
    for (const device of opened) await device.close();
  });

  it.each(['sgd', 'adam'] as const)('with %s gives the bits of one run, on a new device', {
    timeout: 300_000,
  }, async (optimizer) => {
    const config = tinyConfig({ optimizer, ...(optimizer === 'sgd' ? { lr: 0.05 } : {}) });
    const atOnce = await twoEpochs(await testDevice(), config);

    const first = new Trainer(await testDevice(), config, discSource(8, 3));
    let steps = 0;
    const stopped = await first.trainEpoch(
      () => steps++,
      () => steps >= 1,
    );
    expect(stopped).toBeNull();
    const { progress } = first;
    expect(progress.epoch).toBe(0);
    expect(progress.batch).toBeGreaterThanOrEqual(1);
    expect(progress.batch).toBeLessThan(3);
    const preparation = { size: config.size };
    const bytes = joined(
      await encodeResume(first.model, first.optimizer, preparation, { config, progress, extra: { best: 1 } }),
    );
    await first.destroy();

    const device = await openNodeDevice();
    opened.push(device);
    const { file, facts, weights: saved } = decodeResume(bytes, 'resume');
    expect(facts.extra).toEqual({ best: 1 });
    const second = new Trainer(device, facts.config, discSource(8, 3));
    second.model.loadStateDict(saved.state);
    restoreOptimizer(second.optimizer, file, 'resume');
    second.resume(facts.progress);
    await finish(second);
    expect(await weights(second)).toEqual(atOnce);
    await second.destroy();
  });
});

describe('500 steps', () => {
  it('make no more GPU buffers, nor need more of the host’s memory', { timeout: 600_000 }, async () => {
    const device = await testDevice();
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const config = tinyConfig({ epochs: 6, batchSize: 1, model: { ...tinyConfig().model, baseChannels: 1 } });
    const batch = discs(1, 1);
    const trainer = new Trainer(device, config, {
      items: 100,
      size: { height: SIZE, width: SIZE },
      async *batches(_epoch, start) {
        for (let i = start; i < 100; i++) yield batch;
      },
    });
    // The first epoch warms up: shaders, pools, optimised code.
    await trainer.trainEpoch(() => {});
    let buffers = 0;
    const own = device.gpu.createBuffer;
    Object.defineProperty(device.gpu, 'createBuffer', {
      configurable: true,
      value: (descriptor: GPUBufferDescriptor) => {
        buffers++;
        return own.call(device.gpu, descriptor);
      },
    });
    gc();
    const before = process.memoryUsage();
    await finish(trainer);
    gc();
    const after = process.memoryUsage();
    delete (device.gpu as Partial<GPUDevice>).createBuffer;
    expect(trainer.progress.step).toBe(600);
    expect(buffers).toBe(0);
    // The host's own garbage is collected; what GPU driver and allocators keep beside is allowed for.
    const MiB = 2 ** 20;
    expect((after.rss - before.rss) / MiB).toBeLessThan(40);
    expect((after.arrayBuffers - before.arrayBuffers) / MiB).toBeLessThan(8);
    expect((after.heapUsed - before.heapUsed) / MiB).toBeLessThan(2);
    await trainer.destroy();
  });
});
