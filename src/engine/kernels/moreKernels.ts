import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';

/** Kernels beside those that every plan has, by op: a plan that is given them chooses among all. */
export interface MoreKernels {
  readonly conv2d: readonly ForwardVariant[];
  readonly conv2dInputGrad: readonly InputGradVariant[];
  readonly conv2dWeightGrad: readonly WeightGradVariant[];
}
