// Winograd's F(2,3): two outputs of a convolution with three taps from four products instead of six. Points 0, 1, -1, infinity.
// Each function is one matrix of y = A((G g) * (B d)), applied to one side; for images both sides of the square are done.

const TILE = 2u; // outputs a side
const SIDE = 4u; // inputs, and products, a side

// G g
fn filter_side(g: vec3<f32>) -> array<f32, SIDE> {
  let even = 0.5 * (g[0] + g[2]);
  return array<f32, SIDE>(g[0], even + 0.5 * g[1], even - 0.5 * g[1], g[2]);
}

// B d
fn input_side(d: array<f32, SIDE>) -> array<f32, SIDE> {
  return array<f32, SIDE>(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]);
}

// A m
fn output_side(m: array<f32, SIDE>) -> array<f32, TILE> {
  return array<f32, TILE>(m[0] + m[1] + m[2], m[1] - m[2] + m[3]);
}
