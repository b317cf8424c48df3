import type { Command } from 'commander';
import {
  choiceOption,
  type DeviceOptions,
  deviceFlags,
  examples,
  type JsonOptions,
  jsonFlags,
  numberOption,
  type TuningOptions,
  tuningFlags,
} from '../flags.js';
import type { Io } from '../io.js';

/** `shadergrad evaluate`: figures and pictures of a trained run. */
export interface EvaluateOptions extends DeviceOptions, TuningOptions, JsonOptions {
  /** The run's folder. */
  readonly run: string;
  /** The data set; the one the run was trained on when left out. */
  readonly data?: string;
  /** `best` (default), `last` or a safetensors file. */
  readonly checkpoint?: string;
  /** Which patients of the run's split; `valid` by default. */
  readonly patients?: 'valid' | 'train' | 'all';
  readonly threshold?: number;
  readonly batchSize?: number;
  /** Where to write summary and pictures; the run's folder when left out. */
  readonly out?: string;
}

export function defineEvaluate(program: Command, action: (options: EvaluateOptions) => Promise<void>): void {
  const command = program
    .command('evaluate')
    .description('measure a trained run per patient, and draw scans, truth and prediction')
    .argument('<run>', 'the run folder')
    .option('--data <path>', 'folder or zip of slices (default: what the run was trained on)')
    .option('--checkpoint <which>', 'best, last, or a safetensors file (default: best)')
    .addOption(choiceOption('--patients <side>', 'of the split, default valid', ['valid', 'train', 'all']))
    .addOption(
      numberOption('--threshold <p>', "probability above which a pixel is lesion (default: the run's)", {
        min: 0,
        max: 0.999,
      }),
    )
    .addOption(numberOption('--batch-size <n>', 'slices at once', { integer: true, min: 1 }))
    .option('--out <folder>', 'write here instead of into the run folder');
  jsonFlags(tuningFlags(deviceFlags(command))).action((run: string, options: Omit<EvaluateOptions, 'run'>) =>
    action({ ...options, run }),
  );
  examples(command, [
    ['evaluate runs/post', 'the best checkpoint on the validation patients'],
    ['evaluate runs/post --checkpoint last --threshold 0.3 --out eval', 'other choices, written elsewhere'],
  ]);
}

/** @throws when the run, its checkpoint or its data cannot be read */
export async function runEvaluate(options: EvaluateOptions, io: Io): Promise<void> {
  const { evaluate } = await import('../run/evaluate.js');
  await evaluate(options, io);
}
