import reluGrad from '../../shaders/conv2d/relu_grad.wgsl';
import { f32, numel, type Operand, storedType } from '../kernel.js';
import type { Epilogue, Gate } from './conv2dEpilogue.js';
import { bind } from './conv2dProblem.js';

/** Elements pass where y > 0, times `factor`. `y` has the shape of the result, in planes layout. */
export function reluGate(y: Operand, factor: number): Gate {
  const n = y.shape[0] as number;
  const image = numel(y.shape) / n;
  // The same numbers for all layers where there is no gap, so that they share pipelines.
  const gap = n > 1 ? (y.layout.strides[0] as number) - image : 0;
  return {
    pieces: [reluGrad],
    bindings: [bind(9, y, 'read')],
    constants: {
      SLOPE_OFFSET: y.layout.offset,
      SLOPE_GAP: gap,
      SLOPE_IMAGE: gap === 0 ? 1 : image,
      SLOPE_FACTOR: f32(factor),
      SLOPE_TYPE: storedType(y),
    },
    label: '+reluGrad',
  };
}

/** The epilogue of a convolution that has `more` inputs: a bias, if any, and {@link reluGate}'s y. */
export function reluEpilogue(more: readonly Operand[], factor: number): Epilogue {
  return { bias: more[more.length - 2], gate: reluGate(more[more.length - 1] as Operand, factor) };
}
