// What a binary op makes of one V of each operand (f32 or vec4<f32>, see common/lanes*.wgsl). The const OP picks the
// case and the compiler keeps only that one. Comparisons give 1 or 0. A gradient takes d(loss)/dy first.
//
// Consts: OP; A: f32, parameter of the op.

const ADD = 0u;
const SUB = 1u;
const MUL = 2u;
const DIV = 3u;
const POW = 4u;
const MAXIMUM = 5u;
const MINIMUM = 6u;
const GT = 7u;
const GE = 8u;
const LT = 9u;
const LE = 10u;
const EQ = 11u;
const NE = 12u;
const RELU_GRAD = 13u;
const SIGMOID_GRAD = 14u;
const TANH_GRAD = 15u;
const MUL_LOG = 16u;
const BCE = 17u;
const BCE_GRAD = 18u;
const BCE_GRAD_TARGET = 19u;
const BCE_LOGITS = 20u;
const BCE_LOGITS_GRAD = 21u;

fn binary_op(a: V, b: V) -> V {
  switch OP {
    case ADD { return a + b; }
    case SUB { return a - b; }
    case MUL { return a * b; }
    case DIV { return a / b; }
    case POW { return power(a, b); }
    // Either being NaN gives NaN.
    case MAXIMUM { return select(b, a, (a > b) | are_nan(a)); }
    case MINIMUM { return select(b, a, (a < b) | are_nan(a)); }
    case GT { return one_where(a > b); }
    case GE { return one_where(a >= b); }
    case LT { return one_where(a < b); }
    case LE { return one_where(a <= b); }
    case EQ { return one_where(a == b); }
    // Adapters differ on whether NaN differs from itself.
    case NE { return one_where((a != b) | are_nan(a) | are_nan(b)); }
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

fn one_where(is: VB) -> V {
  return select(V(0.0), V(1.0), is);
}
