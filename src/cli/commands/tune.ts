import type { Command } from 'commander';
import {
  type DeviceOptions,
  deviceFlags,
  examples,
  type JsonOptions,
  jsonFlags,
  numberOption,
} from '../flags.js';
import type { Io } from '../io.js';
import { type ChannelOptions, channelFlag, type ModelOptions, modelFlags } from '../modelFlags.js';

/** `shadergrad tune`: measures which kernels are best for a model on the machine at hand. */
export interface TuneCommandOptions extends ModelOptions, ChannelOptions, DeviceOptions, JsonOptions {
  /** The forward alone, of one image, as `predict` runs it. */
  readonly inference?: boolean;
  /** Seconds after which no further problem is begun. */
  readonly budget: number;
  /** The table's file; where train, evaluate and predict look for it when left out. */
  readonly out?: string;
}

export function defineTune(program: Command, action: (options: TuneCommandOptions) => Promise<void>): void {
  const command = program
    .command('tune')
    .description("measure which kernels are best for a model's shapes here, and save it for later runs");
  channelFlag(modelFlags(command))
    .option('--inference', 'only what predict runs, not training')
    .addOption(
      numberOption('--budget <seconds>', 'begin nothing new after this time', { min: 0 }).default(120),
    )
    .option('--out <file>', "write here (default: this device's file in the user's cache folder)");
  jsonFlags(deviceFlags(command)).action(action);
  examples(command, [
    ['tune', 'for the small preset; what is measured already comes last'],
    ['tune --preset post --budget 600', 'for the reference; Ctrl-C keeps what was measured'],
  ]);
}

/** @throws when there is no adapter, an earlier table cannot be read or the new one not be written */
export async function runTune(options: TuneCommandOptions, io: Io): Promise<void> {
  const { tuneModel } = await import('../run/tune.js');
  await tuneModel(options, io);
}
