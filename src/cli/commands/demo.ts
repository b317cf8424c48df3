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

/** `shadergrad demo`: makes synthetic slices, trains on them for a few minutes and writes the report. */
export interface DemoOptions extends DeviceOptions, JsonOptions {
  readonly out: string;
  readonly epochs?: number;
  readonly seed: number;
  readonly force?: boolean;
}

export function defineDemo(program: Command, action: (options: DemoOptions) => Promise<void>): void {
  const command = program
    .command('demo')
    .description('train on synthetic slices for a few minutes and write the report; needs no data')
    .option('--out <folder>', 'where the slices (data/) and the run (run/) go', 'demo')
    .addOption(numberOption('--epochs <n>', 'passes over the training draws', { integer: true, min: 1 }))
    .addOption(
      numberOption('--seed <n>', 'seed of everything random', {
        integer: true,
        min: 0,
        max: 2 ** 32 - 1,
      }).default(777),
    )
    .option('--force', 'replace the run that is in the folder');
  jsonFlags(deviceFlags(command)).action(action);
  examples(command, [['demo', 'then open demo/run/report.html']]);
}

/** @throws as `train` does */
export async function runDemo(options: DemoOptions, io: Io): Promise<void> {
  const { demo } = await import('../run/demo.js');
  await demo(options, io);
}
