import process from 'node:process';
import type { Command } from 'commander';
import {
  type DeviceOptions,
  deviceFlags,
  examples,
  type JsonOptions,
  jsonFlags,
  numberOption,
  type TuningOptions,
  tuningFlags,
} from '../flags.js';
import { type Io, UsageError } from '../io.js';
import { type ModelOptions, modelFlags } from '../modelFlags.js';
import { presetTable } from '../presetTable.js';
import { type SplitOptions, splitFlags } from '../splitFlags.js';

/** What can be told of a training run. What is left out comes from the preset, or on `--resume` from the run itself. */
export interface TrainOptions extends ModelOptions, SplitOptions, DeviceOptions, TuningOptions, JsonOptions {
  /** A `kaggle_3m` folder or zip. */
  readonly data?: string;
  /** The run's folder; by default `runs/` and the time. */
  readonly out?: string;
  readonly epochs?: number;
  /** The schedule's highest learning rate. */
  readonly lr?: number;
  /** Weight of the Dice loss; cross-entropy has the rest. */
  readonly diceWeight?: number;
  /** Probability above which a pixel is lesion, in validation figures and pictures. */
  readonly threshold?: number;
  /** Stop when the best epoch is this many epochs back. */
  readonly patience?: number;
  /** Stop, as by Ctrl-C, after this epoch; the schedule stays as it is. */
  readonly stopAfter?: number;
  /** A run's folder to go on with. */
  readonly resume?: string;
  /** Replace what is in the run's folder. */
  readonly force?: boolean;
  /** Where to write a timeline of one step's kernels. */
  readonly trace?: string;
}

/** Options that `--resume` allows beside itself: where things are, not what they are. */
const WITH_RESUME: ReadonlySet<string> = new Set([
  'resume',
  'data',
  'adapter',
  'software',
  'power',
  'tuning',
  'patience',
  'stopAfter',
  'trace',
  'json',
  'debug',
]);

export function defineTrain(program: Command, action: (options: TrainOptions) => Promise<void>): void {
  const count = { integer: true, min: 1 };
  const command = program
    .command('train')
    .description('train a U-Net and write weights, figures, pictures and a report into a run folder')
    .option('--data <path>', 'folder or zip of slices: <patient>_<n>.tif and <patient>_<n>_mask.tif')
    .option('--out <folder>', 'the run folder (default: runs/<time>)');
  modelFlags(command)
    .addOption(numberOption('--epochs <n>', 'passes over the training draws', count))
    .addOption(numberOption('--lr <rate>', "the schedule's highest learning rate", { min: 0, open: true }))
    .addOption(
      numberOption('--dice-weight <w>', 'weight of Dice loss, the rest is cross-entropy', { min: 0, max: 1 }),
    )
    .addOption(
      numberOption('--threshold <p>', 'probability above which a pixel is lesion (default: 0.5)', {
        min: 0,
        max: 0.999,
      }),
    )
    .addOption(numberOption('--patience <epochs>', 'stop after so many epochs that were no better', count))
    .addOption(numberOption('--stop-after <epoch>', 'stop after this epoch, to go on with --resume', count));
  splitFlags(command, "the preset's")
    .option('--resume <run>', 'go on with a run folder, to the bit')
    .option('--force', 'replace the run that is in the folder')
    .option(
      '--trace <file>',
      'write the kernels of an early step on a timeline, for Perfetto or chrome://tracing',
    );
  jsonFlags(tuningFlags(deviceFlags(command))).action(async (options: TrainOptions) => {
    checkTrain(options);
    await action(options);
  });
  command.addHelpText('after', () => `\nPresets, and the flags that change them:\n${presetTable()}`);
  examples(command, [
    ['train --data archive.zip', 'train the small preset'],
    ['train --data archive.zip --preset post --out runs/post', 'the reference, exactly'],
    ['train --resume runs/post', 'go on where it stopped'],
  ]);
}

/** Options that do not go together. @throws UsageError */
function checkTrain(options: TrainOptions): void {
  if (options.resume === undefined) {
    if (options.data === undefined) throw new UsageError('train needs --data <path> (or --resume <run>).');
    return;
  }
  const extra = Object.keys(options).filter((name) => !WITH_RESUME.has(name));
  if (extra.length > 0) {
    const flags = extra.map((name) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`);
    throw new UsageError(
      `${flags.join(', ')} cannot be changed by --resume: a run keeps the settings it began with; start a new run instead.`,
    );
  }
}

/** @throws in one sentence on whatever keeps the run from starting or going on; what was saved stays */
export async function runTrain(options: TrainOptions, io: Io): Promise<void> {
  const { train } = await import('../run/train.js');
  await train(options, io, process.argv.slice(2));
}
