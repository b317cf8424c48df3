// Weight gradient of a 3x3 convolution, stride 1, padding 1, in registers: 4 output channels x 2 input channels x 9 taps.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - 1, ow + s - 1]
//
// Mapping   one invocation walks ROWS rows of the images' rows, column by column, with a window of 3 x 3 values of
//           each of two x channels in registers: 6 reads of x and 4 of gy for 72 multiply-adds. Lanes run along parts.
//           Parts are added by reduce_parts.wgsl, in order, so the bits are the same each time.
// Dispatch  ceil(PARTS / 8) x ceil(C/2) x ceil(K/4) workgroups of 8.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x + gy + PARTS * gw).
// Consts    N C H W K; X_OFFSET, X_BATCH, GY_OFFSET, GY_BATCH; ROWS: rows of a part; PARTS = ceil(N * H / ROWS);
//           X_TYPE, GY_TYPE: what an element is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
// [PARTS][K][C][9]
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>;

fn value(plane: u32, row: u32, column: u32) -> f32 {
  let inside = (row < H) & (column < W);
  return select(0.0, f32(x[plane + select(0u, row * W + column, inside)]), inside);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let part = id.x;
  if (part >= PARTS) {
    return;
  }
  let c = id.y * 2u;
  let k = id.z * 4u;
  // A channel beyond the last repeats the last; its sums are not stored.
  let second_c = min(c + 1u, C - 1u);
  let second_k = min(k + 1u, K - 1u);
  let third_k = min(k + 2u, K - 1u);
  let fourth_k = min(k + 3u, K - 1u);

  var a0 = vec4<f32>();
  var a1 = vec4<f32>();
  var a2 = vec4<f32>();
  var a3 = vec4<f32>();
  var a4 = vec4<f32>();
  var a5 = vec4<f32>();
  var a6 = vec4<f32>();
  var a7 = vec4<f32>();
  var a8 = vec4<f32>();
  var b0 = vec4<f32>();
  var b1 = vec4<f32>();
  var b2 = vec4<f32>();
  var b3 = vec4<f32>();
  var b4 = vec4<f32>();
  var b5 = vec4<f32>();
  var b6 = vec4<f32>();
  var b7 = vec4<f32>();
  var b8 = vec4<f32>();

  let first = part * ROWS;
  for (var i = first; i < min(first + ROWS, N * H); i++) {
    let n = i / H;
    let row = i % H;
    let a = X_OFFSET + n * X_BATCH + c * (H * W);
    let b = X_OFFSET + n * X_BATCH + second_c * (H * W);
    let g = GY_OFFSET + n * GY_BATCH;
    let g0 = g + k * (H * W);
    let g1 = g + second_k * (H * W);
    let g2 = g + third_k * (H * W);
    let g3 = g + fourth_k * (H * W);
    var a0_left = 0.0;
    var a0_mid = value(a, row + 0u - 1u, 0u);
    var a1_left = 0.0;
    var a1_mid = value(a, row + 1u - 1u, 0u);
    var a2_left = 0.0;
    var a2_mid = value(a, row + 2u - 1u, 0u);
    var b0_left = 0.0;
    var b0_mid = value(b, row + 0u - 1u, 0u);
    var b1_left = 0.0;
    var b1_mid = value(b, row + 1u - 1u, 0u);
    var b2_left = 0.0;
    var b2_mid = value(b, row + 2u - 1u, 0u);
    for (var column = 0u; column < W; column++) {
      let at = row * W + column;
      let d = vec4(f32(gy[g0 + at]), f32(gy[g1 + at]), f32(gy[g2 + at]), f32(gy[g3 + at]));
      let a0_right = value(a, row + 0u - 1u, column + 1u);
      let a1_right = value(a, row + 1u - 1u, column + 1u);
      let a2_right = value(a, row + 2u - 1u, column + 1u);
      let b0_right = value(b, row + 0u - 1u, column + 1u);
      let b1_right = value(b, row + 1u - 1u, column + 1u);
      let b2_right = value(b, row + 2u - 1u, column + 1u);
      a0 = fma(d, vec4(a0_left), a0);
      a1 = fma(d, vec4(a0_mid), a1);
      a2 = fma(d, vec4(a0_right), a2);
      a3 = fma(d, vec4(a1_left), a3);
      a4 = fma(d, vec4(a1_mid), a4);
      a5 = fma(d, vec4(a1_right), a5);
      a6 = fma(d, vec4(a2_left), a6);
      a7 = fma(d, vec4(a2_mid), a7);
      a8 = fma(d, vec4(a2_right), a8);
      b0 = fma(d, vec4(b0_left), b0);
      b1 = fma(d, vec4(b0_mid), b1);
      b2 = fma(d, vec4(b0_right), b2);
      b3 = fma(d, vec4(b1_left), b3);
      b4 = fma(d, vec4(b1_mid), b4);
      b5 = fma(d, vec4(b1_right), b5);
      b6 = fma(d, vec4(b2_left), b6);
      b7 = fma(d, vec4(b2_mid), b7);
      b8 = fma(d, vec4(b2_right), b8);
      a0_left = a0_mid;
      a0_mid = a0_right;
      a1_left = a1_mid;
      a1_mid = a1_right;
      a2_left = a2_mid;
      a2_mid = a2_right;
      b0_left = b0_mid;
      b0_mid = b0_right;
      b1_left = b1_mid;
      b1_mid = b1_right;
      b2_left = b2_mid;
      b2_mid = b2_right;
    }
  }

  var sums = array<vec4<f32>, 18>(a0, a1, a2, a3, a4, a5, a6, a7, a8, b0, b1, b2, b3, b4, b5, b6, b7, b8);
  for (var i = 0u; i < 72u; i++) {
    let tap = i % 9u;
    let channel = c + i / 9u % 2u;
    let filter_k = k + i / 18u;
    if (filter_k < K && channel < C) {
      part_sums[((part * K + filter_k) * C + channel) * 9u + tap] = sums[i % 18u][i / 18u];
    }
  }
}
