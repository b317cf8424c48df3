/**
 * Convolution kernels by their three gradients' worth of work. A transposed convolution is the same three, turned
 * round: its forward is the input gradient (with an epilogue), its input gradient the forward, and its weight gradient
 * the weight gradient with x and gy exchanged.
 */
import { forwardLadder } from './conv2dForward.js';
import { inputGradLadder } from './conv2dInputGrad.js';
import { weightGradLadder } from './conv2dWeightGrad.js';

export { conv2dBiasGrad } from './conv2dBiasGrad.js';
export type { Epilogue } from './conv2dEpilogue.js';
export { conv2dForward } from './conv2dForward.js';
export { conv2dInputGrad } from './conv2dInputGrad.js';
export type { Conv2dProblem } from './conv2dProblem.js';
export { conv2dWeightGrad } from './conv2dWeightGrad.js';

/** Names that `Lowering.forced` accepts, from the plainest on. */
export const conv2dVariants = {
  forward: forwardLadder.map((v) => v.name),
  inputGrad: inputGradLadder.map((v) => v.name),
  weightGrad: weightGradLadder.map((v) => v.name),
};
