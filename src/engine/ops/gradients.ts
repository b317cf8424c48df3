/** The gradients of the engine's ops. Only `grad` reads this, so what does not train does not carry the backward kernels. */
import type { Gradient } from '../op.js';
import { castGradient } from './cast.js';
import {
  conv2dBiasGradGradient,
  conv2dGradient,
  conv2dInputGradGradient,
  conv2dWeightGradGradient,
} from './conv.js';
import { dropoutGradient } from './dropout.js';
import { binaryGradient, slopeGradient, unaryGradient } from './elementwiseGradients.js';
import { bceLogitsMeanGradient, bceMeanGradient, diceLossGradient, diceSumsGradient } from './loss.js';
import {
  catGradient,
  expandGradient,
  padGradient,
  permuteGradient,
  reshapeGradient,
  sliceGradient,
} from './movementGradients.js';
import { maxPool2dGradient } from './pool.js';
import { maxGradient, sumGradient } from './reduce.js';

export const gradients: readonly Gradient[] = [
  castGradient,
  conv2dGradient,
  conv2dBiasGradGradient,
  conv2dInputGradGradient,
  conv2dWeightGradGradient,
  dropoutGradient,
  binaryGradient,
  slopeGradient,
  unaryGradient,
  bceLogitsMeanGradient,
  bceMeanGradient,
  diceLossGradient,
  diceSumsGradient,
  catGradient,
  expandGradient,
  padGradient,
  permuteGradient,
  reshapeGradient,
  sliceGradient,
  maxPool2dGradient,
  maxGradient,
  sumGradient,
];
