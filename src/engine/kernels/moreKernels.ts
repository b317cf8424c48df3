import type { DeviceFacts } from '../kernel.js';
import type { TuningTable } from '../tuning/table.js';
import type { BiasGradKernel } from './conv2dBiasGrad.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';

/** Kernels beside those that every plan has, by op: a plan that is given them chooses among all. */
export interface MoreKernels {
  readonly conv2d: readonly ForwardVariant[];
  readonly conv2dInputGrad: readonly InputGradVariant[];
  readonly conv2dWeightGrad: readonly WeightGradVariant[];
  /** The kernel to take for a device instead of what every plan has; undefined where that is the better one. */
  conv2dBiasGrad?(facts: DeviceFacts): BiasGradKernel | undefined;
  /** The tuning table that ships for a device; null where there is none. */
  table?(facts: DeviceFacts): TuningTable | null;
  /** What these kernels ask of a device beside the facts that every plan is given. */
  facts?(gpu: GPUDevice): Partial<DeviceFacts> | Promise<Partial<DeviceFacts>>;
}

/** Kernels of several lists as one, in their order. */
export function joinKernels(...lists: readonly MoreKernels[]): MoreKernels {
  return {
    conv2d: lists.flatMap((one) => one.conv2d),
    conv2dInputGrad: lists.flatMap((one) => one.conv2dInputGrad),
    conv2dWeightGrad: lists.flatMap((one) => one.conv2dWeightGrad),
    conv2dBiasGrad: (facts) =>
      lists.reduce<BiasGradKernel | undefined>(
        (found, one) => found ?? one.conv2dBiasGrad?.(facts),
        undefined,
      ),
    table: (facts) =>
      lists.reduce<TuningTable | null>((found, one) => found ?? one.table?.(facts) ?? null, null),
    facts: async (gpu) =>
      Object.assign({}, ...(await Promise.all(lists.map((one) => one.facts?.(gpu))))) as Partial<DeviceFacts>,
  };
}
