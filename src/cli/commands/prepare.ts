import type { Command } from 'commander';
import { examples, type JsonOptions, jsonFlags } from '../flags.js';
import type { Io } from '../io.js';
import { type SplitOptions, splitFlags } from '../splitFlags.js';

/** `shadergrad prepare`: checks a data set, says what is in it, writes a split. */
export interface PrepareOptions extends SplitOptions, JsonOptions {
  /** A `kaggle_3m` folder or zip. */
  readonly data: string;
  /** Where to write the split; nothing is written when left out. */
  readonly out?: string;
}

export function definePrepare(program: Command, action: (options: PrepareOptions) => Promise<void>): void {
  const command = program
    .command('prepare')
    .description('check and describe a data set, and write how it is split by patient')
    .requiredOption('--data <path>', 'folder or zip of slices: <patient>_<n>.tif and <patient>_<n>_mask.tif');
  splitFlags(command, 'ratio').option('--out <file>', 'write the split to this JSON file');
  jsonFlags(command).action(action);
  examples(command, [
    ['prepare --data archive.zip', 'check every file and say what is there'],
    [
      'prepare --data archive.zip --split ratio --valid 0.2 --out split.json',
      'write a split for train --split',
    ],
  ]);
}

/** @throws DataError naming the file that is wrong */
export async function runPrepare(options: PrepareOptions, io: Io): Promise<void> {
  const { prepare } = await import('../prepare.js');
  await prepare(options, io);
}
