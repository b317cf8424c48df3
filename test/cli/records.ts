import type { EpochRecord, RunConfig, RunSummary, StepRecord } from '../../src/cli/records.js';
import type { TrainConfig } from '../../src/unet/config.js';
import { SegmentationMetrics } from '../../src/unet/metrics.js';

const TRAINING: TrainConfig = {
  model: { inChannels: 3, outChannels: 1, depth: 5, baseChannels: 64, dropout: 0.6 },
  size: 256,
  seed: 777,
  epochs: 20,
  batchSize: 4,
  optimizer: 'sgd',
  lr: 0.1,
  diceWeight: 0.3,
  crossEntropy: 'probabilities',
  sampling: 'weighted',
  augmentation: { scale: 0.05, angle: [-14, 16], flip: 0.5 },
  maskValue: 0.9999,
};

/** A run's configuration as `train` would save it. */
export function config(change: Partial<RunConfig> = {}): RunConfig {
  return {
    format: 'shadergrad-run',
    version: 1,
    started: '2026-03-09T14:05:07.000Z',
    command: ['train', '--data', 'archive.zip', '--preset', 'post'],
    preset: 'post',
    training: TRAINING,
    parameters: 31_031_745,
    threshold: 0.5,
    stepsPerEpoch: 745,
    data: {
      path: '/data/archive.zip',
      width: 256,
      height: 256,
      split: 'post',
      train: { patients: 80, slices: 2977, lesionSlices: 1040 },
      valid: { patients: 30, slices: 952, lesionSlices: 333 },
    },
    environment: {
      shadergrad: '0.1.0',
      commit: '0123456789abcdef0123456789abcdef01234567',
      node: 'v20.20.0',
      platform: 'linux x64',
      cpus: 2,
      adapter: { name: 'llvmpipe', software: true },
    },
    ...change,
  };
}

export function step(epoch: number, at: number): StepRecord {
  return {
    kind: 'step',
    epoch,
    step: at,
    loss: 1 / at,
    bce: 0.5 / at,
    dice: 0.9 ** at,
    lr: 0.01 * at,
    momentum: 0.9,
  };
}

export function epoch(number: number, at: number): EpochRecord {
  const fall = (from: number) => from * 0.8 ** number;
  return {
    kind: 'epoch',
    epoch: number,
    step: at,
    lr: 0.1 * Math.sin((Math.PI * number) / 21),
    train: { loss: fall(0.38), bce: fall(0.18), dice: fall(0.8) },
    valid: { loss: fall(0.4) + 0.1, bce: fall(0.16), dice: fall(0.5) + 0.4 },
    quality: {
      meanDice: 0.8 - fall(0.8),
      medianDice: 0.85 - fall(0.8),
      lesionSliceDice: 0.75 - fall(0.75),
      pooledDice: 0.82 - fall(0.8),
      meanDiceLargest: 0.81 - fall(0.8),
      falsePositiveSlices: 12,
      falsePositivePixels: 345,
      lesionFreeSlices: 619,
    },
    best: number !== 3,
    seconds: 65,
    imagesPerSecond: 48.25,
  };
}

/** A summary of `patients` little volumes of falling quality. */
export function summary(patients = 3): RunSummary {
  const metrics = new SegmentationMetrics();
  for (let i = 0; i < patients; i++) {
    const patient = `TCGA_XX_${String(4941 + i)}_19960909`;
    metrics.begin(patient, { depth: 2, height: 1, width: patients + 1 });
    const truth = new Uint8Array(patients + 1).fill(1, 0, patients);
    const prediction = new Uint8Array(patients + 1).fill(1, 0, patients - i);
    metrics.add(patient, 0, prediction, truth);
    metrics.add(
      patient,
      1,
      new Uint8Array(patients + 1).fill(i === 1 ? 1 : 0, 0, 1),
      new Uint8Array(patients + 1),
    );
  }
  const measured = metrics.summary();
  return {
    format: 'shadergrad-summary',
    version: 1,
    checkpoint: 'best',
    epoch: 17,
    patients: 'valid',
    losses: { loss: 0.25, bce: 0.1, dice: 0.6 },
    metrics: measured,
    notes: ['The best checkpoint was chosen on these same patients.'],
  };
}
