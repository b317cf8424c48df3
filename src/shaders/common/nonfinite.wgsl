// Infinity and NaN. WGSL refuses them as constants and lets a compiler assume that they never occur, so they are made
// from their bits, read from variables, and recognised by their bits.

var<private> nan_bits: u32 = 0x7fc00000u;
var<private> minus_infinity_bits: u32 = 0xff800000u;

fn nan() -> f32 {
  return bitcast<f32>(nan_bits);
}

fn minus_infinity() -> f32 {
  return bitcast<f32>(minus_infinity_bits);
}

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
