import type { Operand } from '../kernel.js';
import { type SlopeKind, slopes } from '../kernels/slopes.js';
import type { Op } from '../op.js';
import { isOp } from '../plan/rewrite.js';
import { pairwise, type Tensor } from '../tensor.js';
import { type DropoutAttrs, dropoutOp } from './dropout.js';

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
};

/** `kind` of a and b, f32 or f16, which broadcast. @throws ShaderGradError where they do not */
export function slope(kind: SlopeKind, a: Tensor, b: Tensor): Tensor {
  return pairwise(slopeOp, a, b, { kind, factor: 1 });
}
