import type { Command } from 'commander';
import { choiceOption, numberOption } from './flags.js';
import { DEFAULT_PRESET } from './presetTable.js';

/** Which network, and what it is given. What is left out comes from the preset. */
export interface ModelOptions {
  readonly preset?: 'small' | 'post';
  readonly batchSize?: number;
  readonly depth?: number;
  readonly baseChannels?: number;
  readonly dropout?: number;
  /** How a training step stores what it computes; `auto`: mixed on a GPU that has f16, else f32. */
  readonly precision?: 'f32' | 'mixed' | 'auto';
  /** Side of the square that the network sees, in pixels. */
  readonly size?: number;
}

/** Adds `--preset`, `--batch-size`, `--depth`, `--base-channels`, `--dropout`, `--precision` and `--size`. */
export function modelFlags(command: Command): Command {
  const count = { integer: true, min: 1 };
  return command
    .addOption(
      choiceOption('--preset <name>', `where all other settings start from, default ${DEFAULT_PRESET}`, [
        'small',
        'post',
      ]),
    )
    .addOption(numberOption('--batch-size <n>', 'slices in a step', count))
    .addOption(numberOption('--depth <n>', 'levels of the U-Net', count))
    .addOption(numberOption('--base-channels <n>', 'channels of its first level', count))
    .addOption(
      numberOption('--dropout <p>', 'share of activations dropped in training', { min: 0, max: 0.99 }),
    )
    .addOption(
      choiceOption('--precision <kind>', 'how a training step stores what it computes, default f32', [
        'f32',
        'mixed',
        'auto',
      ]),
    )
    .addOption(numberOption('--size <pixels>', 'side of the square the network sees', count));
}

/** Of commands that need no data: the channels of the images that there are not. */
export interface ChannelOptions {
  readonly channels?: number;
}

/** Adds `--channels`. */
export function channelFlag(command: Command): Command {
  return command.addOption(
    numberOption('--channels <n>', 'channels of an image, default 3', { integer: true, min: 1 }),
  );
}
