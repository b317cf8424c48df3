import type { Device } from '../engine/device.js';
import { fail } from '../engine/errors.js';
import { GradScaler, type ScalerValues } from '../engine/optim/gradScaler.js';
import { oneCycle } from '../engine/optim/oneCycle.js';
import type { Plan } from '../engine/plan/types.js';
import type { HostArray, Program, Value } from '../engine/program/program.js';
import { readParameters } from '../engine/program/residence.js';
import type { TrainConfig } from './config.js';
import { UNet } from './model.js';
import {
  type BatchInput,
  BySize,
  compileEvaluation,
  compileTraining,
  type EvaluationPrograms,
  type LossName,
  makeOptimizer,
  type Optimizer,
  type SliceSize,
  type TrainingOutput,
} from './programs.js';

/** A batch as the host has it: 8-bit slices [n, H, W, 3], masks [n, H, W], and a row of the augmentation table each. */
export interface HostBatch {
  readonly count: number;
  readonly images: Uint8Array;
  readonly masks: Uint8Array;
  readonly table: Float32Array;
}

/** Where batches come from. `T` is what the caller wants to know of a validation batch's items. */
export interface BatchSource<T extends HostBatch = HostBatch> {
  readonly items: number;
  readonly size: SliceSize;
  /** Batches of an epoch from number `start` on; the same for the same epoch however often it is asked. */
  batches(epoch: number, start: number): AsyncIterable<T>;
}

/** Sums over an epoch's batches so far; means are sum / batches, as the reference prints them. */
export interface LossSums {
  readonly loss: number;
  readonly bce: number;
  readonly dice: number;
  readonly batches: number;
}

const nothing: LossSums = { loss: 0, bce: 0, dice: 0, batches: 0 };

/** Where a training stands, beside weights and optimiser: enough to go on to the bit. */
export interface Progress {
  /** Epoch in progress, from 0; equal to the number of epochs when done. */
  readonly epoch: number;
  /** Batches of it that are done. */
  readonly batch: number;
  /** Steps of the schedule that are done. */
  readonly step: number;
  readonly sums: LossSums;
}

export const beginning: Progress = { epoch: 0, batch: 0, step: 0, sums: nothing };

export interface StepReport {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly steps: number;
  readonly count: number;
  readonly lr: number;
  readonly momentum: number;
  readonly losses: Readonly<Record<LossName, number>>;
  /** Means over the epoch's batches so far. */
  readonly means: Readonly<Record<LossName, number>>;
  /** In mixed precision: the scale of this step's loss, and the steps skipped before it. */
  readonly scaling?: ScalerValues;
}

/** One validation batch: its items and their probabilities [count, 1, size, size]. */
export type OnProbabilities<T> = (
  batch: T,
  probabilities: Float32Array,
  losses: Readonly<Record<LossName, number>>,
) => void;

/** How many steps may be submitted before the first of them has been read back. */
const IN_FLIGHT = 2;

export function means(sums: LossSums): Record<LossName, number> {
  const n = Math.max(1, sums.batches);
  return { loss: sums.loss / n, bce: sums.bce / n, dice: sums.dice / n };
}

function plus(sums: LossSums, losses: Readonly<Record<LossName, number>>): LossSums {
  return {
    loss: sums.loss + losses.loss,
    bce: sums.bce + losses.bce,
    dice: sums.dice + losses.dice,
    batches: sums.batches + 1,
  };
}

export interface TrainerOptions {
  /** Told after each kernel that is ready. */
  readonly onCompile?: (done: number, total: number) => void;
  /**
   * Runs one early step in place of `program.run`, to the same values: for a profile. It is the third step from where the
   * training starts or goes on, when all is warm, or the last where there are fewer. No other step runs meanwhile.
   */
  readonly profiled?: (
    program: Program<BatchInput, LossName>,
    inputs: Readonly<Record<BatchInput, HostArray>>,
    scalars: Readonly<Record<'lr' | 'momentum' | 'step' | 'seed', number>>,
  ) => Promise<Record<LossName, Value>>;
}

/** Steps before the one that is profiled. */
const WARM = 2;

/** Trains a U-Net: epochs of batches under the one-cycle schedule. It knows nothing of files, screens or signals. */
export class Trainer {
  readonly model: UNet;
  readonly optimizer: Optimizer;
  readonly #training: BySize<Program<BatchInput, TrainingOutput>>;
  readonly #evaluation: EvaluationPrograms;
  readonly #schedule: (step: number) => { lr: number; momentum: number };
  readonly #batchesPerEpoch: number;
  #at: Progress = beginning;
  /** Steps that this trainer has submitted. */
  #submitted = 0;

  constructor(
    device: Device,
    readonly config: TrainConfig,
    private readonly source: BatchSource,
    private readonly options: TrainerOptions = {},
  ) {
    this.model = new UNet({ ...config.model, seed: config.seed });
    this.optimizer = makeOptimizer(this.model, config);
    const { model, optimizer } = this;
    const making = options.onCompile ? { onProgress: options.onCompile } : {};
    this.#training = new BySize((batch) =>
      compileTraining(device, model, optimizer, config, source.size, batch, making),
    );
    this.#evaluation = new BySize((batch) =>
      compileEvaluation(device, model, config, source.size, batch, making),
    );
    this.#batchesPerEpoch = Math.ceil(source.items / config.batchSize);
    this.#schedule = oneCycle({ maxLr: config.lr, totalSteps: config.epochs * this.#batchesPerEpoch });
  }

  get progress(): Progress {
    return this.#at;
  }

  get steps(): number {
    return this.config.epochs * this.#batchesPerEpoch;
  }

  /** The learning rate of the last step that is done. */
  get lr(): number {
    return this.#schedule(Math.max(0, this.#at.step - 1)).lr;
  }

  /** Compiles the training program of whole batches ahead of the first step, and says what it is. */
  async warmUp(): Promise<Plan> {
    const count = Math.min(this.config.batchSize, this.source.items);
    return (await this.#training.get(count)).plan;
  }

  /** Goes on from a saved progress; weights and optimiser state are loaded by the caller. */
  resume(progress: Progress): void {
    if (progress.epoch > this.config.epochs || progress.batch > this.#batchesPerEpoch) {
      fail(
        `This checkpoint is at epoch ${progress.epoch + 1} of a run of ${this.config.epochs}; give more epochs.`,
      );
    }
    const { epoch, batch, step } = progress;
    if (step !== epoch * this.#batchesPerEpoch + batch) {
      fail(
        `This checkpoint counts ${step} steps at epoch ${epoch + 1}, batch ${batch}, but here an epoch has ${this.#batchesPerEpoch} batches; give its own data and batch size.`,
      );
    }
    this.#at = progress;
  }

  /**
   * Trains to the end of the epoch in progress, or until `stopped` says so after a step.
   * Returns the epoch's mean losses, or null where it was stopped; `progress` is exact in both cases.
   */
  async trainEpoch(
    onStep: (report: StepReport) => void,
    stopped: () => boolean = () => false,
  ): Promise<Record<LossName, number> | null> {
    const { epoch } = this.#at;
    if (epoch >= this.config.epochs) fail('trainEpoch: all epochs are done.');
    const waiting: (() => Promise<void>)[] = [];
    const settle = async (most: number) => {
      while (waiting.length > most) await (waiting.shift() as () => Promise<void>)();
    };
    let submitted = this.#at;
    for await (const batch of this.source.batches(epoch, this.#at.batch)) {
      const program = await this.#training.get(batch.count);
      const { step } = submitted;
      const { lr, momentum } = this.#schedule(step);
      const scalars = { lr, momentum, step, seed: this.config.seed };
      const profiled = this.#isProfiled(step) ? this.options.profiled : undefined;
      this.#submitted++;
      if (profiled) await settle(0);
      const running = profiled
        ? profiled(program, hostArrays(batch), scalars)
        : program.run(hostArrays(batch), scalars);
      // Read in its turn; a failure is raised there, not as one that nobody handles.
      running.catch(() => {});
      // A profile is submitted bit by bit: the next step must not come between.
      if (profiled) await running.catch(() => {});
      submitted = { ...submitted, batch: submitted.batch + 1, step: step + 1 };
      const done = submitted;
      waiting.push(async () => {
        const values = await running;
        const losses = { loss: values.loss.item(), bce: values.bce.item(), dice: values.dice.item() };
        checkFinite(losses.loss, epoch, step, lr);
        const scaling = scalingOf(values, step);
        this.#at = { ...done, sums: plus(this.#at.sums, losses) };
        onStep({
          epoch,
          batch: done.batch,
          batches: this.#batchesPerEpoch,
          step: done.step,
          steps: this.steps,
          count: batch.count,
          lr,
          momentum,
          losses,
          means: means(this.#at.sums),
          ...(scaling ? { scaling } : {}),
        });
      });
      await settle(IN_FLIGHT - 1);
      if (stopped()) {
        await settle(0);
        if (this.#at.batch < this.#batchesPerEpoch) return null;
      }
    }
    await settle(0);
    const result = means(this.#at.sums);
    this.#at = { epoch: epoch + 1, batch: 0, step: this.#at.step, sums: nothing };
    return result;
  }

  /** Whether the next step to submit is the one whose kernels are timed. */
  #isProfiled(step: number): boolean {
    return this.#submitted === WARM || (this.#submitted < WARM && step === this.steps - 1);
  }

  /** In mixed precision, the scale of the next step's loss and the steps skipped so far; null in f32. */
  async scaling(): Promise<ScalerValues | null> {
    const { scaler } = this.optimizer;
    if (!scaler) return null;
    const [state] = await readParameters([scaler.state]);
    return GradScaler.read(state as Float32Array);
  }

  /** Losses over all batches of `source` in eval mode; each batch's probabilities go to `onProbabilities`. */
  async validate<T extends HostBatch>(
    source: BatchSource<T>,
    onProbabilities: OnProbabilities<T>,
  ): Promise<Record<LossName, number>> {
    return evaluateAll(this.#evaluation, source, onProbabilities);
  }

  async destroy(): Promise<void> {
    await this.#training.destroy();
    await this.#evaluation.destroy();
  }
}

/** Mean losses of a model over `source`, in eval mode. */
export async function evaluateAll<T extends HostBatch>(
  programs: EvaluationPrograms,
  source: BatchSource<T>,
  onProbabilities: OnProbabilities<T>,
): Promise<Record<LossName, number>> {
  let sums = nothing;
  let last: (() => Promise<void>) | null = null;
  for await (const batch of source.batches(0, 0)) {
    const program = await programs.get(batch.count);
    const running = program.run(hostArrays(batch));
    running.catch(() => {});
    // The batch before is read while this one runs.
    await last?.();
    last = async () => {
      const values = await running;
      const losses = { loss: values.loss.item(), bce: values.bce.item(), dice: values.dice.item() };
      sums = plus(sums, losses);
      onProbabilities(batch, values.probabilities.data as Float32Array, losses);
    };
  }
  await last?.();
  return means(sums);
}

function hostArrays({ images, masks, table }: HostBatch): Record<'images' | 'masks' | 'table', HostArray> {
  return { images, masks, table };
}

/** Below this, gradients overflow whatever the scale. */
const LEAST_SCALE = 2 ** -14;

function scalingOf(values: Partial<Record<TrainingOutput, Value>>, step: number): ScalerValues | null {
  if (!values.scaling) return null;
  const scaling = GradScaler.read(values.scaling.data);
  if (scaling.scale < LEAST_SCALE) {
    fail(
      `The gradients overflow f16 even at a loss scale of ${scaling.scale}, at step ${step + 1}: the training diverged; train anew with a lower learning rate, or in f32.`,
    );
  }
  return scaling;
}

function checkFinite(loss: number, epoch: number, step: number, lr: number): void {
  if (Number.isFinite(loss)) return;
  fail(
    `The loss became ${loss} in epoch ${epoch + 1} at step ${step + 1} (learning rate ${lr.toPrecision(3)}): the training diverged; train anew with a lower learning rate.`,
  );
}
