// In place of binary_ops.wgsl, what training alone makes of one V of each operand: slopes, which take d(loss)/dy first, and
// cross-entropies with their slopes. Needs loss/bce.wgsl. The const OP picks the case and the compiler keeps only that one.
//
// Consts: OP; A: f32, the factor of RELU_GRAD.

const RELU_GRAD = 0u;
const SIGMOID_GRAD = 1u;
const TANH_GRAD = 2u;
const MUL_LOG = 3u;
const BCE = 4u;
const BCE_GRAD = 5u;
const BCE_GRAD_TARGET = 6u;
const BCE_LOGITS = 7u;
const BCE_LOGITS_GRAD = 8u;

fn binary_op(a: V, b: V) -> V {
  switch OP {
    // b is relu's output (or input: they are positive together); A is 1, or the scale of a dropout before it.
    case RELU_GRAD { return select(A * a, V(0.0), b <= V(0.0)); }
    // b is the output.
    case SIGMOID_GRAD { return a * b * (1.0 - b); }
    case TANH_GRAD { return a * (1.0 - b * b); }
    // a log(b), and 0 at b = 0: the derivative of b^e by e, where the factor b^e is 0.
    case MUL_LOG { return select(a * accurate_log(b), V(0.0), b == V(0.0)); }
    case BCE { return bce(a, b); }
    case BCE_GRAD { return (a - b) / max(a * (1.0 - a), V(1e-12)); }
    case BCE_GRAD_TARGET { return clamped_log(1.0 - a) - clamped_log(a); }
    case BCE_LOGITS { return bce_logits(a, b); }
    case BCE_LOGITS_GRAD { return stable_sigmoid(a) - b; }
    default { return a; }
  }
}
