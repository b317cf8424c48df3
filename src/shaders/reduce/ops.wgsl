// What a reduction combines with. V is f32 or vec4<f32> (common/lanes*.wgsl); the const OP picks sum or maximum.

const SUM = 0u;
const MAX = 1u;

// What changes nothing when combined.
fn identity() -> f32 {
  if (OP == MAX) {
    return minus_infinity();
  }
  return 0.0;
}

fn combine(a: f32, b: f32) -> f32 {
  if (OP == MAX) {
    // Either being NaN gives NaN.
    return select(b, a, a > b || is_nan(a));
  }
  return a + b;
}

fn combine_lanes(a: V, b: V) -> V {
  if (OP == MAX) {
    let a_is_nan = (bitcast<VU>(a) & VU(0x7fffffffu)) > VU(0x7f800000u);
    return select(b, a, (a > b) | a_is_nan);
  }
  return a + b;
}
