import { resolve } from 'node:path';
import { evaluationSource, type SliceSource, trainingSource } from '../../data/batchSource.js';
import { commonSize, type Dataset, openDataset, type SliceRef, slicesOf } from '../../data/dataset.js';
import { openTree } from '../../data/node/files.js';
import { type Split, splitByPatient } from '../../data/split.js';
import type { Device } from '../../engine/device.js';
import type { DeviceFacts } from '../../engine/kernel.js';
import { checkTrainConfig, type Precision, presets, type TrainConfig } from '../../unet/config.js';
import { DEFAULT_THRESHOLD } from '../../unet/threshold.js';
import type { TrainOptions } from '../commands/train.js';
import { environment } from '../environment.js';
import { exists } from '../files.js';
import type { Io } from '../io.js';
import type { ModelOptions } from '../modelFlags.js';
import { DEFAULT_PRESET } from '../presetTable.js';
import type { RunConfig, SideFacts } from '../records.js';
import { RunError, type RunFolder } from '../runFolder.js';
import { splitRequest, usualSplit } from '../splitFlags.js';

/** The preset with what the command line changed. `facts` settle what `--precision auto` means. */
export function trainConfig(
  options: ModelOptions & Pick<TrainOptions, 'epochs' | 'lr' | 'diceWeight' | 'seed'>,
  facts: Pick<DeviceFacts, 'features' | 'software'>,
): TrainConfig {
  const preset = presets[options.preset ?? DEFAULT_PRESET] as TrainConfig;
  const { depth, baseChannels, dropout, epochs, batchSize, lr, diceWeight, size, seed } = options;
  const config: TrainConfig = {
    ...preset,
    ...without({ epochs, batchSize, lr, diceWeight, size, seed, precision: precisionOf(options, facts) }),
    model: { ...preset.model, ...without({ depth, baseChannels, dropout }) },
  };
  checkTrainConfig(config);
  return config;
}

/** On an adapter that runs on the CPU f16 saves memory but no time, so `auto` leaves it. */
function precisionOf(
  { precision }: ModelOptions,
  { features, software }: Pick<DeviceFacts, 'features' | 'software'>,
): Precision | undefined {
  if (precision !== 'auto') return precision;
  return features.includes('shader-f16') && !software ? 'mixed' : 'f32';
}

function without<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Opens a folder or zip of slices, telling how far reading has come on a terminal. */
export async function openData(path: string, io: Io): Promise<Dataset> {
  const live = io.stderr.isTTY === true;
  const dataset = await openDataset(await openTree(path), {
    ...(live
      ? { onProgress: (done, total) => void io.stderr.write(`\rreading slices ${done}/${total}`) }
      : {}),
  });
  if (live) io.stderr.write('\r\x1b[K');
  return dataset;
}

/** Opens the data of a run: where `told` says, else where they were. @throws RunError where they are not there any more */
export async function openRunData(told: string | undefined, { data }: RunConfig, io: Io): Promise<Dataset> {
  if (told === undefined && !(await exists(data.path))) {
    throw new RunError(
      `The run was trained on ${data.path}, which is not there now; tell by --data where it lies.`,
    );
  }
  return openData(told ?? data.path, io);
}

/** The split that a run keeps. */
export async function runSplit(run: RunFolder, dataset: Dataset): Promise<Split> {
  return splitByPatient(
    dataset.patients.map(({ id }) => id),
    {
      kind: 'file',
      name: run.paths.split,
      text: await run.readSplit(),
      remedy: 'give the data that the run was trained on by --data',
    },
  );
}

/** Training and validation slices of a split. */
export interface Sides {
  readonly split: Split;
  readonly train: readonly SliceRef[];
  readonly valid: readonly SliceRef[];
}

export async function splitData(dataset: Dataset, options: TrainOptions): Promise<Sides> {
  const split = options.split ?? usualSplit(options.preset);
  return sidesOf(
    dataset,
    splitByPatient(
      dataset.patients.map(({ id }) => id),
      await splitRequest({ ...options, split }),
    ),
  );
}

export function sidesOf(dataset: Dataset, split: Split): Sides {
  return { split, train: slicesOf(dataset, split.train), valid: slicesOf(dataset, split.valid) };
}

export interface Sources {
  readonly train: SliceSource;
  readonly valid: SliceSource;
}

export function sourcesOf(dataset: Dataset, { train, valid }: Sides, config: TrainConfig): Sources {
  const { sampling, seed, batchSize, augmentation, size } = config;
  commonSize([...train, ...valid]);
  return {
    train: trainingSource(dataset, train, { sampling, seed, batchSize, augmentation, size }),
    valid: evaluationSource(dataset, valid, batchSize, size),
  };
}

function factsOf(patients: readonly string[], slices: readonly SliceRef[]): SideFacts {
  return {
    patients: patients.length,
    slices: slices.length,
    lesionSlices: slices.filter(({ lesion }) => lesion > 0).length,
  };
}

/** config.json of a new run. */
export async function runConfig(
  options: TrainOptions,
  config: TrainConfig,
  sides: Sides,
  made: {
    readonly data: string;
    readonly device: Device;
    readonly parameters: number;
    readonly command: readonly string[];
  },
): Promise<RunConfig> {
  const { width, height } = commonSize(sides.train);
  return {
    format: 'shadergrad-run',
    version: 1,
    started: new Date().toISOString(),
    command: made.command,
    preset: options.preset ?? DEFAULT_PRESET,
    training: config,
    parameters: made.parameters,
    threshold: options.threshold ?? DEFAULT_THRESHOLD,
    stepsPerEpoch: Math.ceil(sides.train.length / config.batchSize),
    data: {
      path: resolve(made.data),
      width,
      height,
      split: sides.split.kind,
      train: factsOf(sides.split.train, sides.train),
      valid: factsOf(sides.split.valid, sides.valid),
    },
    environment: await environment({ name: made.device.name, software: made.device.facts.software }),
    ...(made.device.tuning === undefined ? {} : { tuning: made.device.tuning }),
  };
}
