import { Measuring } from '../../src/cli/run/measure.js';
import { evaluationSource, trainingSource } from '../../src/data/batchSource.js';
import { commonSize, type Dataset, openDataset, type SliceRef, slicesOf } from '../../src/data/dataset.js';
import { DEFAULT_VALID, splitByPatient } from '../../src/data/split.js';
import { syntheticSource } from '../../src/data/synthetic.js';
import { blobSource, openZipBlob } from '../../src/data/web/blobs.js';
import { type Device, openDevice } from '../../src/engine/device.js';
import { softwareKernels } from '../../src/software.js';
import { encodeWeights } from '../../src/unet/checkpoint.js';
import { checkTrainConfig, type TrainConfig } from '../../src/unet/config.js';
import { thresholdMask } from '../../src/unet/metrics.js';
import { DEFAULT_THRESHOLD } from '../../src/unet/threshold.js';
import { Trainer } from '../../src/unet/train.js';
import type { SampleView, TrainData, TrainEvent, TrainFacts, TrainSetup } from './protocol.js';

const SAMPLES = 4;

type Tell = (event: TrainEvent) => void;

/** A training in the page: the steps of `shadergrad train`, with a pause. */
export class Session {
  private pausing = false;
  private stopping = false;
  private goOn: () => void = () => {};

  private constructor(
    private readonly device: Device,
    private readonly dataset: Dataset,
    private readonly trainer: Trainer,
    private readonly valid: readonly SliceRef[],
    private readonly tell: Tell,
    readonly facts: TrainFacts,
  ) {}

  /** Reads and checks the data, opens a device and compiles. */
  static async open({ data, config }: TrainSetup, tell: Tell): Promise<Session> {
    checkTrainConfig(config);
    tell({ is: 'progress', what: 'data', done: 0, total: 1 });
    const dataset = await openDataset(await sourceOf(data, config.seed), {
      onProgress: (done, total) => tell({ is: 'progress', what: 'data', done, total }),
    });
    let device: Device | undefined;
    try {
      const ids = dataset.patients.map(({ id }) => id);
      const split = splitByPatient(ids, { kind: 'ratio', valid: DEFAULT_VALID, seed: config.seed });
      const train = slicesOf(dataset, split.train);
      const valid = slicesOf(dataset, split.valid);
      commonSize([...train, ...valid]);
      tell({ is: 'progress', what: 'open', done: 0, total: 1 });
      device = await openDevice({ kernels: softwareKernels, onError: () => {} });
      const trainer = new Trainer(device, config, trainingSource(dataset, train, config), {
        onCompile: (done, total) =>
          tell({ is: 'progress', what: done === total ? 'warm-up' : 'compile', done, total }),
      });
      const plan = await trainer.warmUp();
      return new Session(device, dataset, trainer, valid, tell, {
        adapter: device.name,
        parameters: trainer.model.parameterCount(),
        kernels: plan.steps.length,
        train: { patients: split.train.length, slices: train.length },
        valid: { patients: split.valid.length, slices: valid.length },
        steps: trainer.steps,
        bytes: plan.memory.transient + plan.memory.state,
      });
    } catch (error) {
      await dataset.close();
      await device?.close().catch(() => {});
      throw error;
    }
  }

  /** To the last epoch, or until stopped. The device stays open, for the weights. */
  async run(): Promise<void> {
    const trainer = this.trainer;
    const tell = this.tell;
    const { epochs } = trainer.config;
    // A device that is lost while the training is paused is told of too.
    const failed = new Promise<never>((_, reject) => this.device.failed.catch(reject));
    failed.catch(() => {});
    while (trainer.progress.epoch < epochs && !this.stopping) {
      const begin = performance.now();
      let images = 0;
      const means = await trainer.trainEpoch(
        ({ step, epoch, losses, lr, count }) => {
          images += count;
          tell({ is: 'step', entry: { step, epoch: epoch + 1, loss: losses.loss, lr } });
        },
        () => this.pausing || this.stopping,
      );
      const seconds = (performance.now() - begin) / 1000;
      if (means !== null) {
        const { losses, dice, samples } = await this.validate();
        const { epoch, step } = trainer.progress;
        const entry = { epoch, step, loss: means.loss, validLoss: losses.loss, dice };
        tell({ is: 'epoch', entry: { ...entry, imagesPerSecond: images / seconds }, samples });
      }
      if (this.pausing && !this.stopping && trainer.progress.epoch < epochs) {
        tell({ is: 'paused' });
        await Promise.race([new Promise<void>((resolve) => (this.goOn = resolve)), failed]);
      }
    }
    tell({ is: 'ended', done: trainer.progress.epoch >= epochs });
  }

  pause(on: boolean): void {
    this.pausing = on;
    if (!on) this.goOn();
  }

  stop(): void {
    this.stopping = true;
    this.goOn();
  }

  /** The weights as they are, as a safetensors file. */
  async weights(): Promise<Uint8Array<ArrayBuffer>> {
    const { trainer } = this;
    const { epoch } = trainer.progress;
    const more = { epoch: `${epoch}`, threshold: `${DEFAULT_THRESHOLD}` };
    const chunks = await encodeWeights(trainer.model, { size: trainer.config.size }, more);
    return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  }

  async close(): Promise<void> {
    await this.dataset.close();
    // A device that failed was told of when it did.
    await this.device.close().catch(() => {});
  }

  private async validate() {
    const { trainer, dataset, valid, tell } = this;
    const { batchSize, size } = trainer.config;
    const measuring = new Measuring(valid, DEFAULT_THRESHOLD);
    const wanted = new Set([...valid].sort((a, b) => b.lesion - a.lesion).slice(0, SAMPLES));
    const masks = new Map<SliceRef, Uint8Array>();
    let done = 0;
    const source = evaluationSource(dataset, valid, batchSize, size);
    const losses = await trainer.validate(source, (batch, probabilities) => {
      const planes = measuring.add(batch, probabilities, size);
      batch.items.forEach(({ slice }, i) => {
        const plane = planes[i];
        if (plane && wanted.has(slice)) masks.set(slice, thresholdMask(plane, DEFAULT_THRESHOLD));
      });
      done += batch.count;
      tell({ is: 'progress', what: 'validate', done, total: valid.length });
    });
    const samples: SampleView[] = [];
    for (const [slice, mask] of masks) {
      const { image, mask: truth } = await dataset.read(slice);
      const gray = Uint8Array.from({ length: truth.length }, (_, i) => image[3 * i + 1] as number);
      const { patient, number, width, height } = slice;
      samples.push({ name: `${patient}, slice ${number}`, width, height, gray, truth, mask });
    }
    return { losses, samples, dice: measuring.metrics.summary().plain.dice.mean };
  }
}

async function sourceOf(data: TrainData, seed: TrainConfig['seed']) {
  if (data.is === 'synthetic') {
    const { patients, slices, size } = data;
    return syntheticSource({ patients, slices, size, seed });
  }
  const [[name, file] = [], ...others] = data.files;
  if (name !== undefined && file !== undefined && others.length === 0 && /\.zip$/i.test(name)) {
    return openZipBlob(file, name);
  }
  return blobSource(data.files, 'these files');
}
