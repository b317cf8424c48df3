// What a unary op does to one V (f32 or vec4<f32>, see common/lanes*.wgsl). The const OP picks the case and the
// compiler keeps only that one. NaN goes through every op but sign, heaviside and isfinite.
//
// Consts: OP; A, B: f32, parameters of the op; HAS_LOW, HAS_HIGH: whether clamp has a lower bound A, an upper bound
//         B.

const COPY = 0u;
const NEG = 1u;
const ABS = 2u;
const SIGN = 3u;
const EXP = 4u;
const LOG = 5u;
const SQRT = 6u;
const SQUARE = 7u;
const RECIPROCAL = 8u;
const SIN = 9u;
const COS = 10u;
const TANH = 11u;
const SIGMOID = 12u;
const RELU = 13u;
const LEAKY_RELU = 14u;
const SOFTPLUS = 15u;
const SILU = 16u;
const FLOOR = 17u;
const CEIL = 18u;
const ROUND = 19u;
const CLAMP = 20u;
const HEAVISIDE = 21u;
const ADD_SCALAR = 22u;
const MUL_SCALAR = 23u;
const POW_SCALAR = 24u;
const IS_FINITE = 25u;
const RSQRT = 26u;

fn unary_op(x: V) -> V {
  switch OP {
    case NEG { return -x; }
    case ABS { return abs(x); }
    case SIGN { return sign(x); }
    // SwiftShader makes infinity of NaN.
    case EXP { return select(exp(x), x, are_nan(x)); }
    case LOG { return accurate_log(x); }
    case SQRT { return sqrt(x); }
    case SQUARE { return x * x; }
    case RECIPROCAL { return 1.0 / x; }
    case SIN { return sine(x, 0u); }
    case COS { return sine(x, 1u); }
    case TANH { return stable_tanh(x); }
    case SIGMOID { return stable_sigmoid(x); }
    // select rather than max, which may lose a NaN.
    case RELU { return select(x, V(0.0), x <= V(0.0)); }
    case LEAKY_RELU { return select(x, A * x, x <= V(0.0)); }
    case SOFTPLUS { return stable_softplus(x); }
    case SILU { return x * stable_sigmoid(x); }
    case FLOOR { return floor(x); }
    case CEIL { return ceil(x); }
    case ROUND { return round(x); }
    case CLAMP { return clamped(x); }
    case HEAVISIDE { return select(V(0.0), V(1.0), x > V(0.0)); }
    case ADD_SCALAR { return x + A; }
    case MUL_SCALAR { return x * A; }
    case POW_SCALAR { return power_of_a(x); }
    case IS_FINITE { return select(V(1.0), V(0.0), (bitcast<VU>(x) & VU(0x7f800000u)) == VU(0x7f800000u)); }
    case RSQRT { return 1.0 / sqrt(x); }
    default { return x; }
  }
}

fn clamped(x: V) -> V {
  let low = select(x, V(A), VB(HAS_LOW) & (x < V(A)));
  return select(low, V(B), VB(HAS_HIGH) & (low > V(B)));
}

// Small whole exponents by repeated squaring, which is exact where pow is not; the rest by pow.
fn power_of_a(x: V) -> V {
  if (A == 0.5) {
    return sqrt(x);
  }
  if (floor(A) == A && abs(A) <= 64.0) {
    var result = V(1.0);
    var square = x;
    for (var n = u32(abs(A)); n > 0u; n >>= 1u) {
      if ((n & 1u) == 1u) {
        result *= square;
      }
      square *= square;
    }
    return select(result, 1.0 / result, VB(A < 0.0));
  }
  return power(x, V(A));
}
