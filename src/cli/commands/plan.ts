import type { Command } from 'commander';
import {
  type DeviceOptions,
  deviceFlags,
  examples,
  type JsonOptions,
  jsonFlags,
  type TuningOptions,
  tuningFlags,
} from '../flags.js';
import type { Io } from '../io.js';
import { type ChannelOptions, channelFlag, type ModelOptions, modelFlags } from '../modelFlags.js';

/** `shadergrad plan`: what a program would do on a device, without doing it. */
export interface PlanCommandOptions
  extends ModelOptions,
    ChannelOptions,
    DeviceOptions,
    TuningOptions,
    JsonOptions {
  /** The forward alone, in place of a training step. */
  readonly inference?: boolean;
  /** A known device's name, or a file from `info --json`, in place of the adapter at hand. */
  readonly device?: string;
  /** Kernels in place of the plan's own choice: `conv2d=direct` or, for all ops, `direct`. */
  readonly force?: readonly string[];
}

export function definePlan(program: Command, action: (options: PlanCommandOptions) => Promise<void>): void {
  const command = program
    .command('plan')
    .description('print what a training step runs: kernels, work, predicted time, buffers, memory');
  channelFlag(modelFlags(command))
    .option('--inference', 'the forward alone')
    .option('--device <name>', 'plan for this device: llvmpipe, swiftshader, nvidia, least, or a file')
    .option(
      '--force <kernel>',
      'run this kernel where it can: conv2d=direct, or direct for all ops',
      (word: string, before: readonly string[] = []) => [...before, word],
    );
  jsonFlags(tuningFlags(deviceFlags(command))).action(action);
  examples(command, [
    ['plan', 'the small preset on the adapter at hand'],
    ['plan --preset post --device nvidia --json', 'the reference on a GPU that is not here'],
    ['plan --inference --batch-size 1 --force conv2d=direct', 'with the plainest convolution'],
    ['info --json > facts.json; shadergrad plan --device facts.json', "for another machine's GPU"],
  ]);
}

/** @throws where the model, the device's facts or a forced kernel is wrong, or the device too small */
export async function runPlan(options: PlanCommandOptions, io: Io): Promise<void> {
  const { printPlanOf } = await import('../run/plan.js');
  await printPlanOf(options, io);
}
