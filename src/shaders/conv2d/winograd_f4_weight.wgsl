// Winograd's F(4,3) turned over, for the weight gradient: see winograd_f2_weight.wgsl.

// transposed(A) gy
fn slope_side(gy: array<f32, TILE>) -> array<f32, SIDE> {
  let even = gy[0] + gy[2];
  let odd = gy[1] + gy[3];
  let even2 = gy[0] + 4 * gy[2];
  let odd2 = 2 * gy[1] + 8 * gy[3];
  return array<f32, SIDE>(gy[0], even + odd, even - odd, even2 + odd2, even2 - odd2, gy[3]);
}

// transposed(G) m
fn tap_side(m: array<f32, SIDE>) -> vec3<f32> {
  let plus = (m[1] + m[2]) / 6;
  let plus2 = m[3] + m[4];
  return vec3(
    m[0] / 4 - plus + plus2 / 24, (m[2] - m[1]) / 6 + (m[3] - m[4]) / 12, plus2 / 6 - plus + m[5],
  );
}
