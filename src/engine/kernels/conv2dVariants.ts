import { forwardLadder } from './conv2dForward.js';
import { inputGradLadder } from './conv2dInputGrad.js';
import { weightGradLadder } from './conv2dWeightGrad.js';

/**
 * Names that `Lowering.forced` accepts, from the plainest on. Apart from the kernels, since a list of all of them would
 * keep the weight gradient in pages that only infer.
 */
export const conv2dVariants = {
  forward: forwardLadder.map((v) => v.name),
  inputGrad: inputGradLadder.map((v) => v.name),
  weightGrad: weightGradLadder.map((v) => v.name),
};
