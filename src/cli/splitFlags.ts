import type { Command } from 'commander';
import { DEFAULT_VALID, type SplitRequest } from '../data/split.js';
import { readText } from './files.js';
import { numberOption } from './flags.js';

/** How patients are split. */
export interface SplitOptions {
  /** `ratio`, `post`, `buda` or the path of a split file. */
  readonly split?: string;
  /** Of a ratio: the share of patients for validation. */
  readonly valid?: number;
  readonly seed?: number;
}

/** The seed when nothing is told. */
export const DEFAULT_SEED = 777;

/** The split of a training with this preset when none is told. */
export function usualSplit(preset: string | undefined): string {
  return preset === 'post' ? 'post' : 'ratio';
}

/** Adds `--split`, `--valid` and `--seed`. @param usual what `--split` is when not told, in words */
export function splitFlags(command: Command, usual: string): Command {
  return command
    .option('--split <kind>', `split by patient: ratio, post, buda, or a JSON file (default: ${usual})`)
    .addOption(
      numberOption(
        '--valid <share>',
        `share of patients for validation, of a ratio (default: ${DEFAULT_VALID})`,
        {
          min: 0,
          max: 1,
          open: true,
        },
      ),
    )
    .addOption(
      numberOption('--seed <n>', `seed of everything random (default: ${DEFAULT_SEED})`, {
        integer: true,
        min: 0,
        max: 2 ** 32 - 1,
      }),
    );
}

/** What these options ask of `splitByPatient`. @throws FileError when a split file cannot be read */
export async function splitRequest({ split = 'ratio', valid, seed }: SplitOptions): Promise<SplitRequest> {
  if (split === 'ratio') return { kind: 'ratio', valid: valid ?? DEFAULT_VALID, seed: seed ?? DEFAULT_SEED };
  if (split === 'post' || split === 'buda') return { kind: split };
  return { kind: 'file', name: split, text: await readText(split) };
}
