/**
 * Convolution kernels by their three gradients' worth of work. A transposed convolution is the same three, turned
 * round: its forward is the input gradient (with an epilogue), its input gradient the forward, and its weight gradient
 * the weight gradient with x and gy exchanged.
 */
export { conv2dBiasGrad } from './conv2dBiasGrad.js';
export type { Epilogue } from './conv2dEpilogue.js';
export { conv2dForward } from './conv2dForward.js';
export { conv2dInputGrad } from './conv2dInputGrad.js';
export type { Conv2dProblem } from './conv2dProblem.js';
export { conv2dWeightGrad } from './conv2dWeightGrad.js';
