import type { DeviceFacts } from '../../engine/kernel.js';
import { planJson, printPlan } from '../../engine/plan/print.js';
import { knownCeiling } from '../../engine/tuning/ceilings.js';
import { parseForce } from '../../engine/tuning/force.js';
import type { Ceiling, TuningTable } from '../../engine/tuning/table.js';
import { choicesText } from '../choices.js';
import type { PlanCommandOptions } from '../commands/plan.js';
import type { Io } from '../io.js';
import { factsOf } from '../knownDevices.js';
import { plural } from '../plural.js';
import { given, openCliDevice } from './device.js';
import { modelConfig, modelPlan } from './modelPlan.js';

/** `shadergrad plan`. */
export async function printPlanOf(options: PlanCommandOptions, io: Io): Promise<void> {
  const force = parseForce(options.force ?? []);
  const inference = options.inference === true;
  const { facts, tuning } = await target(options);
  const config = modelConfig(options, facts);
  const made = modelPlan(facts, config, inference, { force, tuning });
  const { ceiling, from } = ceilingOf(facts, tuning);
  if (options.json) {
    const { kind, description, software } = facts;
    const head = {
      program: inference ? 'inference' : 'training step',
      model: config.model,
      size: config.size,
      batchSize: config.batchSize,
      device: { kind, description, software },
      ceiling: ceiling && { ...ceiling, from },
    };
    io.stdout.write(`${JSON.stringify({ ...head, ...planJson(made, ceiling) })}\n`);
    return;
  }
  const { inChannels, depth, baseChannels } = config.model;
  const lines = [
    `${inference ? 'inference' : 'a training step'} of a U-Net of depth ${depth} with ${plural(baseChannels, 'base channel')}: ${plural(config.batchSize, 'image')} of ${plural(inChannels, 'channel')} at ${config.size}x${config.size}`,
    `device: ${facts.description} (${facts.kind})`,
    ceiling
      ? `ceiling: ${ceiling.gflops} GFLOP/s of multiply-adds, ${ceiling.gbps} GB/s of a copy, ${ceiling.launch} us a dispatch (${from})`
      : 'ceiling: none known for this kind of device, so no times are predicted; shadergrad tune measures it',
    `kernels: ${choicesText(made)}`,
    '',
    printPlan(made, ceiling),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** The device that is planned for, and its table. */
async function target(
  options: PlanCommandOptions,
): Promise<{ facts: DeviceFacts; tuning: TuningTable | null | undefined }> {
  if (options.device !== undefined) {
    const facts = await factsOf(options.device);
    return {
      facts,
      tuning: options.tuning === undefined ? undefined : await given(facts, options.tuning),
    };
  }
  const device = await openCliDevice(options);
  const { facts, tuning } = device;
  await device.close();
  return { facts, tuning };
}

function ceilingOf(
  { kind }: DeviceFacts,
  tuning: TuningTable | null | undefined,
): { ceiling: Ceiling | null; from: string } {
  if (tuning?.ceiling) return { ceiling: tuning.ceiling, from: 'measured by shadergrad tune' };
  const known = knownCeiling(kind);
  return { ceiling: known?.ceiling ?? null, from: known ? `default of ${kind}: ${known.from}` : '' };
}
