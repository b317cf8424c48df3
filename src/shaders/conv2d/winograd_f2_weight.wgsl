// Winograd's F(2,3) turned over, for the weight gradient: that of <gy, A((G g) * (B d))> by g is
// transposed(G) ((transposed(A) gy) * (B d)). See winograd_f2.wgsl.

// transposed(A) gy
fn slope_side(gy: array<f32, TILE>) -> array<f32, SIDE> {
  return array<f32, SIDE>(gy[0], gy[0] + gy[1], gy[0] - gy[1], gy[1]);
}

// transposed(G) m
fn tap_side(m: array<f32, SIDE>) -> vec3<f32> {
  let even = 0.5 * (m[1] + m[2]);
  return vec3(m[0] + even, 0.5 * (m[1] - m[2]), even + m[3]);
}
