import { plan } from '../../engine/compile.js';
import type { DeviceFacts } from '../../engine/kernel.js';
import type { PlanOptions } from '../../engine/plan/plan.js';
import type { Plan } from '../../engine/plan/types.js';
import { everyKernel } from '../../everyKernel.js';
import type { TrainConfig } from '../../unet/config.js';
import { UNet } from '../../unet/model.js';
import { inferenceStep, makeOptimizer, trainingStep } from '../../unet/programs.js';
import type { ChannelOptions, ModelOptions } from '../modelFlags.js';
import { trainConfig } from './setup.js';

/** The preset with what the command line changed, for images that there are not. */
export function modelConfig(options: ModelOptions & ChannelOptions, facts: DeviceFacts): TrainConfig {
  const config = trainConfig(options, facts);
  const { channels } = options;
  return channels === undefined ? config : { ...config, model: { ...config.model, inChannels: channels } };
}

/** The plan of a training step on slices of the size that the network sees, or of the forward alone. */
export function modelPlan(
  facts: DeviceFacts,
  config: TrainConfig,
  inference: boolean,
  options: PlanOptions = {},
): Plan {
  const model = new UNet({ ...config.model, seed: config.seed });
  const { size, batchSize } = config;
  const source = { height: size, width: size };
  const step = inference
    ? inferenceStep(model, source, source, batchSize)
    : trainingStep(model, makeOptimizer(model, config), config, source, batchSize);
  return plan<string, string>(facts, step.inputs, step.build, { kernels: everyKernel, ...options });
}
