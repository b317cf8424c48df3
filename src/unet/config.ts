import { fail } from '../engine/errors.js';
import { checkConfig, referenceConfig, type UNetConfig } from './model.js';

/** How the items of an epoch are drawn: with replacement by lesion size, each once in random order, or as they lie. */
export type Sampling = 'weighted' | 'shuffled' | 'sequential';

/**
 * How activations and weights are stored while a step runs. `mixed`: as f16, beside the f32 weights that are trained,
 * with loss scaling; sums and gradients of weights are f32. It needs a device with `shader-f16`.
 */
export type Precision = 'f32' | 'mixed';

/** Everything that decides what a training computes, but for the data. Saved with the run and with each checkpoint. */
export interface TrainConfig {
  readonly model: UNetConfig;
  /** Height and width that slices are brought to, in pixels. */
  readonly size: number;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'adam';
  /** f32 where it is left out. */
  readonly precision?: Precision;
  /** Highest learning rate of the one-cycle schedule. */
  readonly lr: number;
  /** Share of the Dice loss; the rest is binary cross-entropy. */
  readonly diceWeight: number;
  /** Cross-entropy on probabilities with the reference's clamps, or fused with the sigmoid on logits. */
  readonly crossEntropy: 'probabilities' | 'logits';
  readonly sampling: Sampling;
  /** Scale is drawn from 1 +- scale, the angle in degrees from [low, high], the flip with probability flip. */
  readonly augmentation: {
    readonly scale: number;
    readonly angle: readonly [number, number];
    readonly flip: number;
  };
  /** What a full lesion pixel becomes: the reference's gray conversion gives .9999. */
  readonly maskValue: number;
}

/** The reference program, quirks included; see docs/design.md for each. */
export const postPreset: TrainConfig = {
  model: referenceConfig,
  size: 256,
  seed: 777,
  epochs: 20,
  batchSize: 4,
  optimizer: 'sgd',
  precision: 'f32',
  lr: 0.1,
  diceWeight: 0.3,
  crossEntropy: 'probabilities',
  sampling: 'weighted',
  augmentation: { scale: 0.05, angle: [-14, 16], flip: 0.5 },
  maskValue: 0.9999,
};

/** Learns in minutes on two CPU cores: slices at 128x128, 121 thousand parameters, Adam. */
export const smallPreset: TrainConfig = {
  model: { inChannels: 3, outChannels: 1, depth: 4, baseChannels: 8, dropout: 0.1 },
  size: 128,
  seed: 777,
  epochs: 8,
  batchSize: 8,
  optimizer: 'adam',
  precision: 'f32',
  lr: 1e-3,
  diceWeight: 0.5,
  crossEntropy: 'logits',
  sampling: 'weighted',
  augmentation: { scale: 0.05, angle: [-15, 15], flip: 0.5 },
  maskValue: 1,
};

export const presets: Readonly<Record<string, TrainConfig>> = { post: postPreset, small: smallPreset };

/** Throws where a configuration cannot be trained, naming the field. */
export function checkTrainConfig(config: TrainConfig): void {
  checkConfig(config.model);
  const whole = (name: 'size' | 'epochs' | 'batchSize') => {
    if (!Number.isInteger(config[name]) || config[name] < 1)
      fail(`Training: ${name} must be a whole number of at least 1, not ${config[name]}.`);
  };
  whole('size');
  whole('epochs');
  whole('batchSize');
  if (!(config.lr > 0)) fail(`Training: the learning rate must be above 0, not ${config.lr}.`);
  if (!(config.diceWeight >= 0 && config.diceWeight <= 1))
    fail(`Training: the Dice weight must lie in 0..1, not ${config.diceWeight}.`);
  const multiple = 2 ** (config.model.depth - 1);
  if (config.size % multiple !== 0) {
    fail(
      `Training: with depth ${config.model.depth} the size must be a multiple of ${multiple}, not ${config.size}.`,
    );
  }
}
