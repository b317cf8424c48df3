import { fail } from '../errors.js';
import type { Operand } from '../kernel.js';
import { dropout as dropoutLaunch } from '../kernels/dropout.js';
import type { Gradient, Op } from '../op.js';
import { reals, Tensor } from '../tensor.js';

export interface DropoutAttrs {
  readonly p: number;
  readonly stream: number;
}

/** inputs: x. Its gradient is itself: the mask comes again from seed, step, stream and index. */
export const dropoutOp: Op<DropoutAttrs> = {
  name: 'dropout',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [x], output, attrs }, ctx) => dropoutLaunch(x as Operand, output, attrs, ctx),
};

export const dropoutGradient: Gradient<DropoutAttrs> = {
  of: dropoutOp,
  rule: ({ gy, attrs }) => [Tensor.of(dropoutOp, [gy], gy.shape, attrs, gy.dtype)],
};

/**
 * Zeroes each element with probability `p` and scales the rest by 1 / (1 - p), as torch.nn.functional.dropout.
 * `stream` tells apart the dropouts of one model. The mask is a function of the run-time scalars `seed` and `step`,
 * the stream and the element's index, so it is never stored. Identity unless `training`.
 */
export function dropout(x: Tensor, p: number, options: { training: boolean; stream: number }): Tensor {
  reals('dropout', x);
  if (!(p >= 0 && p <= 1)) fail(`dropout: the probability must lie in 0..1, not ${p}.`);
  if (!options.training || p === 0) return x;
  return Tensor.of(dropoutOp, [x], x.shape, { p, stream: options.stream }, x.dtype);
}
