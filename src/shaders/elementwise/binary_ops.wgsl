// What a binary op makes of one V of each operand (f32 or vec4<f32>, see common/lanes*.wgsl). The const OP picks the
// case and the compiler keeps only that one. Comparisons give 1 or 0.
//
// Consts: OP.

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
    default { return a; }
  }
}

fn one_where(is: VB) -> V {
  return select(V(0.0), V(1.0), is);
}
