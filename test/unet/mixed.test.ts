import { describe, expect, it, vi } from 'vitest';
import { readParameters, writeParameter } from '../../src/engine/index.js';
import { decodeResume, encodeResume, restoreOptimizer } from '../../src/unet/checkpoint.js';
import type { TrainConfig } from '../../src/unet/config.js';
import { type StepReport, Trainer } from '../../src/unet/train.js';
import { testDevice } from '../support/device.js';
import { discSource, discs, SIZE, tinyConfig } from './discs.js';

// Compiling a training step takes seconds, and many where the machine is busy.
vi.setConfig({ testTimeout: 300_000 });

const device = await testDevice();
const there = device.facts.features.includes('shader-f16');

/** One shape for all, since each is a program to compile. */
function config(more: Partial<TrainConfig> = {}): TrainConfig {
  const model = { ...tinyConfig().model, dropout: 0.1 };
  return tinyConfig({ precision: 'mixed', batchSize: 4, model, ...more });
}

async function weights(trainer: Trainer): Promise<Float32Array[]> {
  return readParameters(trainer.model.parameters());
}

async function finish(trainer: Trainer): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  while (trainer.progress.epoch < trainer.config.epochs)
    await trainer.trainEpoch((report) => reports.push(report));
  return reports;
}

/** Dice of discs that it has not seen. */
async function unseenDice(trainer: Trainer): Promise<number> {
  let [both, all] = [0, 0];
  const unseen = {
    ...discSource(16, 4),
    async *batches() {
      for (let i = 0; i < 4; i++) yield discs(4, 900_000 + i);
    },
  };
  await trainer.validate(unseen, (batch, probabilities) => {
    for (let n = 0; n < batch.count; n++) {
      for (let i = 0; i < SIZE * SIZE; i++) {
        const [y, x] = [Math.floor(i / SIZE), i % SIZE];
        const from = n % 2 === 1 ? y * SIZE + (SIZE - 1 - x) : i;
        const truth = batch.masks[n * SIZE * SIZE + from] === 255;
        const found = (probabilities[n * SIZE * SIZE + i] as number) > 0.5;
        if (truth && found) both++;
        all += Number(truth) + Number(found);
      }
    }
  });
  return (2 * both) / all;
}

describe.runIf(there)('mixed precision', () => {
  it('learns as f32 does', async () => {
    const dice: Record<string, number> = {};
    for (const precision of ['f32', 'mixed'] as const) {
      const trainer = new Trainer(device, config({ precision, epochs: 8, lr: 1e-2 }), discSource(24, 4));
      const reports = await finish(trainer);
      dice[precision] = await unseenDice(trainer);
      expect(reports.every(({ scaling }) => (scaling !== undefined) === (precision === 'mixed'))).toBe(true);
      await trainer.destroy();
    }
    expect(dice.f32).toBeGreaterThan(0.85);
    expect(Math.abs((dice.mixed as number) - (dice.f32 as number))).toBeLessThan(0.05);
  });

  it('skips steps that overflow, and goes on at a scale that does not', async () => {
    const trainer = new Trainer(device, config({ epochs: 6 }), discSource(12, 4));
    const state = trainer.optimizer.scaler?.state;
    if (!state) throw new Error('there is no scaler');
    const start = await weights(trainer);
    writeParameter(state, Float32Array.of(2 ** 30, 0, 0, 0, 0));
    const reports: StepReport[] = [];
    await trainer.trainEpoch((report) => reports.push(report));
    // Far beyond f16: each of the first steps is skipped, and halves the scale.
    expect(reports.map(({ scaling }) => scaling)).toEqual([
      { scale: 2 ** 30, skipped: 0 },
      { scale: 2 ** 29, skipped: 1 },
      { scale: 2 ** 28, skipped: 2 },
    ]);
    expect(await trainer.scaling()).toEqual({ scale: 2 ** 27, skipped: 3 });
    expect(await weights(trainer)).toEqual(start);
    const rest = await finish(trainer);
    const last = rest.at(-1);
    expect(last?.scaling?.scale).toBeLessThan(2 ** 27);
    // It found a scale, and from there on no step was lost.
    expect(last?.scaling?.skipped).toBeLessThan(reports.length + rest.length - 5);
    expect(rest.at(-5)?.scaling?.skipped).toBe(last?.scaling?.skipped);
    expect(await weights(trainer)).not.toEqual(start);
    expect(Number.isFinite(last?.losses.loss)).toBe(true);
    await trainer.destroy();
  });

  it('gives up where no scale helps', async () => {
    const trainer = new Trainer(device, config(), discSource(12, 4));
    const { scaler } = trainer.optimizer;
    if (scaler) writeParameter(scaler.state, Float32Array.of(2 ** -15, 0, 30, 0, 0));
    await expect(finish(trainer)).rejects.toThrow(
      /^The gradients overflow f16 even at a loss scale of .* or in f32\.$/,
    );
    await trainer.destroy();
  });

  it('goes on from a resume file to the bit, the loss scale with it', async () => {
    const settings = config({ lr: 0.01 });
    const whole = new Trainer(device, settings, discSource(12, 4));
    if (whole.optimizer.scaler)
      writeParameter(whole.optimizer.scaler.state, Float32Array.of(2 ** 27, 0, 0, 0, 0));
    await whole.trainEpoch(() => {});
    const chunks = await encodeResume(
      whole.model,
      whole.optimizer,
      { size: SIZE },
      { config: settings, progress: whole.progress, extra: null },
    );
    await whole.trainEpoch(() => {});
    const parts = Buffer.concat(chunks);
    const { file, facts, weights: saved } = decodeResume(parts, 'resume');
    const half = new Trainer(device, facts.config, discSource(12, 4));
    half.model.loadStateDict(saved.state);
    restoreOptimizer(half.optimizer, file, 'resume');
    half.resume(facts.progress);
    await half.trainEpoch(() => {});
    expect(await weights(half)).toEqual(await weights(whole));
    expect(await half.scaling()).toEqual(await whole.scaling());
    expect((await half.scaling())?.skipped).toBeGreaterThan(0);
    await whole.destroy();
    await half.destroy();
  });
});

describe.runIf(!there)('mixed precision without shader-f16', () => {
  it('is refused in one sentence that names the feature', async () => {
    const trainer = new Trainer(device, config(), discSource(12, 4));
    await expect(trainer.warmUp()).rejects.toThrow(
      /^f16 \(mixed precision\) needs the feature shader-f16, which .* lacks; use f32\.$/,
    );
  });
});
