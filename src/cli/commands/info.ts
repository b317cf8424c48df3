import type { Command } from 'commander';
import { type DeviceOptions, deviceFlags, examples, type JsonOptions, jsonFlags } from '../flags.js';
import type { Io } from '../io.js';

/** `shadergrad info`: the adapters at hand, the one chosen, its limits and features, versions. */
export interface InfoOptions extends DeviceOptions, JsonOptions {}

export function defineInfo(program: Command, action: (options: InfoOptions) => Promise<void>): void {
  const command = program.command('info').description('show the GPU adapter, its limits and the versions');
  jsonFlags(deviceFlags(command)).action(action);
  examples(command, [
    ['info', 'which adapter would run, and what it can do'],
    ['info --software --json', 'the same for the CPU adapter, as JSON'],
  ]);
}

/** @throws when there is no adapter, with the remedy */
export async function runInfo(options: InfoOptions, io: Io): Promise<void> {
  const { info } = await import('../run/info.js');
  await info(options, io);
}
