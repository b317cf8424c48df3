import type { Command } from 'commander';
import {
  type CommonOptions,
  commonFlags,
  type DeviceOptions,
  deviceFlags,
  examples,
  numberOption,
} from '../flags.js';
import type { Io } from '../io.js';

/** `shadergrad preview`: an item of a data set as a picture. */
export interface PreviewOptions extends DeviceOptions, CommonOptions {
  readonly data: string;
  /** Which slice, counted from 1 over the whole data set. */
  readonly item: number;
  /** The PNG file to write. */
  readonly out: string;
  /** 24 tiles of the item under augmentation, instead of the item as it is. */
  readonly sheet?: boolean;
  /** Of the sheet: half width of the scale's range, of the rotation's in degrees, and how probable a flip is. */
  readonly scale: number;
  readonly rotation: number;
  readonly flip: number;
  readonly seed: number;
}

export function definePreview(program: Command, action: (options: PreviewOptions) => Promise<void>): void {
  const command = program
    .command('preview')
    .description('draw a slice with its mask, or a sheet of 24 augmentations of it')
    .requiredOption('--data <path>', 'folder or zip of slices')
    .addOption(numberOption('--item <n>', 'which slice, from 1', { integer: true, min: 1 }).default(1))
    .option('--out <file>', 'the PNG file to write', 'preview.png')
    .option('--sheet', '24 tiles of the slice under augmentation')
    .addOption(
      numberOption('--scale <x>', 'of the sheet: scale from 1 - x to 1 + x', { min: 0, max: 0.99 }).default(
        0.2,
      ),
    )
    .addOption(
      numberOption('--rotation <degrees>', 'of the sheet: rotation to both sides', {
        min: 0,
        max: 180,
      }).default(90),
    )
    .addOption(
      numberOption('--flip <p>', 'of the sheet: probability of a flip', { min: 0, max: 1 }).default(0.5),
    )
    .addOption(
      numberOption('--seed <n>', 'seed of the augmentation', {
        integer: true,
        min: 0,
        max: 2 ** 32 - 1,
      }).default(777),
    );
  commonFlags(deviceFlags(command)).action(action);
  examples(command, [
    ['preview --data archive.zip --item 77', 'slice 77 with its outline'],
    ['preview --data archive.zip --item 77 --sheet --rotation 30', 'augmentations of it'],
  ]);
}

/** @throws when the data set or the item cannot be read, or the picture not be written */
export async function runPreview(options: PreviewOptions, io: Io): Promise<void> {
  const { preview } = await import('../run/preview.js');
  await preview(options, io);
}
