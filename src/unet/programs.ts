import { compile, type InputSpec } from '../engine/compile.js';
import type { Device } from '../engine/device.js';
import { getOrMake } from '../engine/getOrMake.js';
import { grad } from '../engine/grad.js';
import { type AugmentGeometry, augmentColumns, augmentImage, augmentMask } from '../engine/ops/augment.js';
import { Adam } from '../engine/optim/adam.js';
import { GradScaler } from '../engine/optim/gradScaler.js';
import { SGD } from '../engine/optim/sgd.js';
import type { PlanOptions } from '../engine/plan/plan.js';
import type { Program } from '../engine/program/program.js';
import type { Parameter, Tensor } from '../engine/tensor.js';
import type { TrainConfig } from './config.js';
import { segmentationLoss } from './loss.js';
import type { UNet } from './model.js';

/** Height and width of slices as they are in their files. */
export interface SliceSize {
  readonly height: number;
  readonly width: number;
}

export type BatchInput = 'images' | 'masks' | 'table';
export type LossName = 'loss' | 'bce' | 'dice';
/** `scaling`, in mixed precision alone: the loss scaler's state before the step (see `GradScaler.read`). */
export type TrainingOutput = LossName | 'scaling';

/** Either optimiser, with a loss scaler in mixed precision, and what it keeps for each parameter, by name for a checkpoint. */
export type Optimizer = SGD | Adam;

export function makeOptimizer(model: UNet, config: Pick<TrainConfig, 'optimizer' | 'precision'>): Optimizer {
  const parameters = model.parameters();
  const scaler = config.precision === 'mixed' ? new GradScaler() : undefined;
  return config.optimizer === 'adam' ? new Adam(parameters, { scaler }) : new SGD(parameters, { scaler });
}

/** What an optimiser keeps, by the name it has in a checkpoint. */
export function optimizerState(optimizer: Optimizer): [string, Parameter][] {
  const lists: readonly (readonly Parameter[])[] =
    optimizer instanceof SGD
      ? [optimizer.momentumBuffers]
      : [optimizer.firstMoments, optimizer.secondMoments];
  const scaler = optimizer.scaler ? [optimizer.scaler.state] : [];
  return [...lists, scaler].flatMap((list) =>
    list.map((parameter): [string, Parameter] => [parameter.name, parameter]),
  );
}

function inputs(batch: number, { height, width }: SliceSize, channels: number) {
  return {
    images: { shape: [batch, height, width, channels], dtype: 'u8' as const },
    masks: { shape: [batch, height, width], dtype: 'u8' as const },
    table: { shape: [batch, augmentColumns(channels)], dtype: 'f32' as const },
  };
}

function prepared(given: Record<BatchInput, Tensor>, geometry: AugmentGeometry) {
  return {
    image: augmentImage(given.images, given.table, geometry),
    mask: augmentMask(given.masks, given.table, geometry),
  };
}

export interface MakeOptions extends PlanOptions {
  /** Told after each kernel that is ready. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What of a configuration decides a program, beside the model. */
export type StepConfig = Pick<
  TrainConfig,
  'size' | 'maskValue' | 'diceWeight' | 'crossEntropy' | 'precision'
>;

/** What `compile` and `plan` make a program of. */
export interface Recipe<I extends string, O extends string> {
  readonly inputs: Readonly<Record<I, InputSpec>>;
  readonly build: (inputs: Record<I, Tensor>) => Record<O, Tensor>;
}

/**
 * A training step: slices to loss, gradients and update. In mixed precision the activations are f16, which convolutions
 * follow with their weights, and the losses f32; `optimizer` is then one with a loss scaler.
 */
export function trainingStep(
  model: UNet,
  optimizer: Optimizer,
  config: StepConfig,
  source: SliceSize,
  batch: number,
): Recipe<BatchInput, TrainingOutput> {
  return {
    inputs: inputs(batch, source, model.config.inChannels),
    build: (given) => {
      const { image, mask } = prepared(given, geometry(config));
      const x = config.precision === 'mixed' ? image.half() : image;
      const logits = model.logits(x, { training: true }).float();
      const losses = segmentationLoss(logits, logits.sigmoid(), mask, config);
      const { scaler } = optimizer;
      const objective = scaler ? scaler.scale(losses.loss) : losses.loss;
      optimizer.update(grad(objective, model.parameters()));
      // In f32 there is no such output, and nobody asks for it.
      const scaling = scaler ? { scaling: scaler.state } : {};
      return { ...losses, ...scaling } as Record<TrainingOutput, Tensor>;
    },
  };
}

/** Probabilities [batch, outChannels, size, size] of images, without dropout. */
export function inferenceStep(
  model: UNet,
  { height, width }: SliceSize,
  source: SliceSize,
  batch: number,
): Recipe<'images' | 'table', 'probabilities'> {
  const { images, table } = inputs(batch, source, model.config.inChannels);
  return {
    inputs: { images, table },
    build: (given) => ({
      probabilities: model.forward(augmentImage(given.images, given.table, { height, width, maskValue: 1 })),
    }),
  };
}

/** {@link trainingStep}, compiled. */
export function compileTraining(
  device: Device,
  model: UNet,
  optimizer: Optimizer,
  config: StepConfig,
  source: SliceSize,
  batch: number,
  options: MakeOptions = {},
): Promise<Program<BatchInput, TrainingOutput>> {
  const { inputs: given, build } = trainingStep(model, optimizer, config, source, batch);
  return compile(device, given, build, options);
}

/** Losses and probabilities [batch, 1, size, size], without dropout. */
export function compileEvaluation(
  device: Device,
  model: UNet,
  config: StepConfig,
  source: SliceSize,
  batch: number,
  options: MakeOptions = {},
): Promise<Program<BatchInput, LossName | 'probabilities'>> {
  return compile(
    device,
    inputs(batch, source, model.config.inChannels),
    (given) => {
      const { image, mask } = prepared(given, geometry(config));
      const logits = model.logits(image, { training: false });
      const probabilities = logits.sigmoid();
      return { ...segmentationLoss(logits, probabilities, mask, config), probabilities };
    },
    options,
  );
}

function geometry({ size, maskValue }: StepConfig): AugmentGeometry {
  return { height: size, width: size, maskValue };
}

/** One program for each batch size that comes up: an epoch's last batch may be smaller. */
export class BySize<P extends Program> {
  readonly #made = new Map<number, Promise<P>>();

  constructor(private readonly make: (batch: number) => Promise<P>) {}

  get(batch: number): Promise<P> {
    return getOrMake(this.#made, batch, () => this.make(batch));
  }

  async destroy(): Promise<void> {
    for (const program of this.#made.values()) (await program).destroy();
    this.#made.clear();
  }
}

export type EvaluationPrograms = BySize<Program<BatchInput, LossName | 'probabilities'>>;
