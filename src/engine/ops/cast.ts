import type { Operand } from '../kernel.js';
import { unary } from '../kernels/elementwise.js';
import type { Gradient, Op } from '../op.js';
import type { Tensor } from '../tensor.js';

/** The same values in another float type. */
export const castOp: Op<{ readonly dtype: 'f32' | 'f16' }> = {
  name: 'cast',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [x], output }, ctx) => unary('copy', x as Operand, output, {}, ctx),
};

/**
 * A gradient comes back in the input's type: where a kernel already gave it so (the weights' gradients of a convolution
 * in f16 are f32), nothing is done.
 */
export const castGradient: Gradient<{ readonly dtype: 'f32' | 'f16' }> = {
  of: castOp,
  rule: ({ gy, inputs: [x] }) => [gy.to((x as Tensor).dtype === 'f16' ? 'f16' : 'f32')],
};
