import type { Operand } from '../kernel.js';
import { reluEpilogue } from '../kernels/reluGate.js';
import { type SlopeKind, slopes } from '../kernels/slopes.js';
import type { Op } from '../op.js';
import { isOp } from '../plan/rewrite.js';
import { pairwise, sameShape, type Tensor } from '../tensor.js';
import { conv2dInputGradOp, conv2dOp } from './conv.js';
import { type DropoutAttrs, dropoutOp } from './dropout.js';
import { maxPool2dGradOp } from './pool.js';

export interface SlopeAttrs {
  readonly kind: SlopeKind;
  /** Of `reluGrad`. */
  readonly factor: number;
}

/** Slopes and cross-entropies by element: what training alone makes of two operands. */
export const slopeOp: Op<SlopeAttrs> = {
  name: 'slope',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [a, b], output, attrs }, ctx) =>
    slopes(attrs.kind, a as Operand, b as Operand, output, attrs.factor, ctx),
  /**
   * With d = dropout(relu(x)), the gradient at x is reluGrad(dropout(g), relu(x)). d > 0 says both that x > 0 and that the
   * element was kept, so it equals reluGrad(g, d) scaled by 1/(1-p): neither relu(x) nor the random mask is needed again.
   */
  rewrite(node, attrs, { users }) {
    const [g, r] = node.inputs;
    if (attrs.kind !== 'reluGrad' || !g || !r || !isOp(g, dropoutOp) || g.attrs.p >= 1) return null;
    const { p, stream } = g.attrs;
    const isSame = (other: DropoutAttrs) => other.p === p && other.stream === stream;
    const d = users(r).find((user) => isOp(user, dropoutOp) && isSame(user.attrs) && user.inputs[0] === r);
    const [x] = g.inputs;
    return d && x ? { ...node, inputs: [x, d], attrs: { ...attrs, factor: attrs.factor / (1 - p) } } : null;
  },
  /** A ReLU's gradient where a convolution's or a pooling's ends. */
  join(node, { kind, factor }, input, { software }) {
    const [g, y] = node.inputs;
    if (kind !== 'reluGrad' || g !== input || !y || input.dtype !== node.dtype) return null;
    if (!sameShape(input.shape, y.shape)) return null;
    // It finds its maxima in y again, and so has it at hand.
    if (isOp(input, maxPool2dGradOp) && input.inputs[1] === y && input.attrs.slope === undefined)
      return { ...input, attrs: { ...input.attrs, slope: factor } };
    // On the CPU a convolution's kernel takes a second to compile, and this makes it another one.
    const isConv = !software && (isOp(input, conv2dInputGradOp) || isOp(input, conv2dOp));
    if (!isConv || input.attrs.gate || input.attrs.activation || input.attrs.dropout) return null;
    return {
      ...input,
      inputs: [...input.inputs, y],
      attrs: { ...input.attrs, gate: { of: reluEpilogue, factor } },
    };
  },
};

/** `kind` of a and b, f32 or f16, which broadcast. @throws ShaderGradError where they do not */
export function slope(kind: SlopeKind, a: Tensor, b: Tensor): Tensor {
  return pairwise(slopeOp, a, b, { kind, factor: 1 });
}
