// Winograd's F(4,3): four outputs of a convolution with three taps from six products instead of twelve. Points 0, 1, -1, 2, -2,
// infinity: the larger numbers cost accuracy. See winograd_f2.wgsl.

const TILE = 4u; // outputs a side
const SIDE = 6u; // inputs, and products, a side

// G g
fn filter_side(g: vec3<f32>) -> array<f32, SIDE> {
  let even = (g[0] + g[2]) / 6;
  let even2 = g[0] / 24 + g[2] / 6;
  return array<f32, SIDE>(g[0] / 4, -even - g[1] / 6, g[1] / 6 - even, even2 + g[1] / 12, even2 - g[1] / 12, g[2]);
}

// B d
fn input_side(d: array<f32, SIDE>) -> array<f32, SIDE> {
  let even = d[4] - 4 * d[2];
  let odd = d[3] - 4 * d[1];
  let even2 = d[4] - d[2];
  let odd2 = 2 * (d[3] - d[1]);
  return array<f32, SIDE>(
    4 * (d[0] - d[2]) + even2, even + odd, even - odd, even2 + odd2, even2 - odd2, 4 * (d[1] - d[3]) + d[5] - d[3],
  );
}

// A m
fn output_side(m: array<f32, SIDE>) -> array<f32, TILE> {
  let plus = m[1] + m[2];
  let minus = m[1] - m[2];
  let plus2 = m[3] + m[4];
  let minus2 = m[3] - m[4];
  return array<f32, TILE>(m[0] + plus + plus2, minus + 2 * minus2, plus + 4 * plus2, minus + 8 * minus2 + m[5]);
}
