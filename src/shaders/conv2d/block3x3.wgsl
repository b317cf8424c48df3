// Convolution 3x3, stride 1, padding 1, in registers: a tile of 4 x 4 pixels and 4 channels an invocation.
//
//   y[n,k,oh,ow] = epilogue( sum over c, r, s of x[n, c, oh + r - 1, ow + s - 1] * w[k,c,r,s] )
//
// The input gradient is the same sum over gy with the filter turned round and its two channels exchanged, which
// `weights_pack.wgsl` does while it packs; so this kernel serves both.
//
// Mapping   one invocation, 4 x 4 pixels of 4 channels: 16 vec4 sums. A channel costs 6 x 6 reads of x and 9 of weights
//           for 576 multiply-adds. Lanes run along tiles of a row, so all read the same weights.
// Dispatch  ceil(N * ceil(OH/4) * ceil(OW/4) / 64) x blocks of channels in `weights`, workgroups of 64.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x + w + y), each once; x is read ceil(K/4) * 36/16 times through the caches.
// Why fast  no barrier and no workgroup memory, which software adapters run slowly; taps are written out, since
//           their compilers do not unroll loops.
// Consts    N C H W, K (channels of y, all), K_FIRST: the first channel of this launch; X_OFFSET, X_BATCH, Y_OFFSET,
//           Y_BATCH; X_TYPE, Y_TYPE: what an element is stored as, f32 or f16; GRID_WIDTH; those of the epilogue.
// Pieces    `weights`: array of vec4, [block][c][tap], four channels of y each (weights_uniform or weights_storage).

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(2) var<storage, read_write> y: array<Y_TYPE>;

const TILES_X = (W + 3) / 4;
const TILES_Y = (H + 3) / 4;

// A value of x, 0 outside the image. Unsigned: before the image wraps round to far behind it.
// `&`, for `&&` is a branch, and SwiftShader compiles in a time that doubles with each branch in a row.
fn at(plane: u32, row: u32, column: u32) -> f32 {
  let inside = (row < H) & (column < W);
  return select(0.0, f32(x[plane + select(0u, row * W + column, inside)]), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let tile = id.x;
  if (tile >= N * TILES_Y * TILES_X) {
    return;
  }
  let left = tile % TILES_X * 4u;
  let top = tile / TILES_X % TILES_Y * 4u;
  let n = tile / (TILES_X * TILES_Y);
  let block = id.y;

  var s00 = vec4<f32>();
  var s01 = vec4<f32>();
  var s02 = vec4<f32>();
  var s03 = vec4<f32>();
  var s10 = vec4<f32>();
  var s11 = vec4<f32>();
  var s12 = vec4<f32>();
  var s13 = vec4<f32>();
  var s20 = vec4<f32>();
  var s21 = vec4<f32>();
  var s22 = vec4<f32>();
  var s23 = vec4<f32>();
  var s30 = vec4<f32>();
  var s31 = vec4<f32>();
  var s32 = vec4<f32>();
  var s33 = vec4<f32>();

  for (var c = 0u; c < C; c++) {
    let plane = X_OFFSET + n * X_BATCH + c * (H * W);
    let taps = (block * C + c) * 9u;
    let w00 = weights[taps + 0u];
    let w01 = weights[taps + 1u];
    let w02 = weights[taps + 2u];
    let w10 = weights[taps + 3u];
    let w11 = weights[taps + 4u];
    let w12 = weights[taps + 5u];
    let w20 = weights[taps + 6u];
    let w21 = weights[taps + 7u];
    let w22 = weights[taps + 8u];
    {
      let row = top + 0u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s00 = fma(w00, vec4(v0), fma(w01, vec4(v1), fma(w02, vec4(v2), s00)));
      s01 = fma(w00, vec4(v1), fma(w01, vec4(v2), fma(w02, vec4(v3), s01)));
      s02 = fma(w00, vec4(v2), fma(w01, vec4(v3), fma(w02, vec4(v4), s02)));
      s03 = fma(w00, vec4(v3), fma(w01, vec4(v4), fma(w02, vec4(v5), s03)));
    }
    {
      let row = top + 1u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s00 = fma(w10, vec4(v0), fma(w11, vec4(v1), fma(w12, vec4(v2), s00)));
      s01 = fma(w10, vec4(v1), fma(w11, vec4(v2), fma(w12, vec4(v3), s01)));
      s02 = fma(w10, vec4(v2), fma(w11, vec4(v3), fma(w12, vec4(v4), s02)));
      s03 = fma(w10, vec4(v3), fma(w11, vec4(v4), fma(w12, vec4(v5), s03)));
      s10 = fma(w00, vec4(v0), fma(w01, vec4(v1), fma(w02, vec4(v2), s10)));
      s11 = fma(w00, vec4(v1), fma(w01, vec4(v2), fma(w02, vec4(v3), s11)));
      s12 = fma(w00, vec4(v2), fma(w01, vec4(v3), fma(w02, vec4(v4), s12)));
      s13 = fma(w00, vec4(v3), fma(w01, vec4(v4), fma(w02, vec4(v5), s13)));
    }
    {
      let row = top + 2u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s00 = fma(w20, vec4(v0), fma(w21, vec4(v1), fma(w22, vec4(v2), s00)));
      s01 = fma(w20, vec4(v1), fma(w21, vec4(v2), fma(w22, vec4(v3), s01)));
      s02 = fma(w20, vec4(v2), fma(w21, vec4(v3), fma(w22, vec4(v4), s02)));
      s03 = fma(w20, vec4(v3), fma(w21, vec4(v4), fma(w22, vec4(v5), s03)));
      s10 = fma(w10, vec4(v0), fma(w11, vec4(v1), fma(w12, vec4(v2), s10)));
      s11 = fma(w10, vec4(v1), fma(w11, vec4(v2), fma(w12, vec4(v3), s11)));
      s12 = fma(w10, vec4(v2), fma(w11, vec4(v3), fma(w12, vec4(v4), s12)));
      s13 = fma(w10, vec4(v3), fma(w11, vec4(v4), fma(w12, vec4(v5), s13)));
      s20 = fma(w00, vec4(v0), fma(w01, vec4(v1), fma(w02, vec4(v2), s20)));
      s21 = fma(w00, vec4(v1), fma(w01, vec4(v2), fma(w02, vec4(v3), s21)));
      s22 = fma(w00, vec4(v2), fma(w01, vec4(v3), fma(w02, vec4(v4), s22)));
      s23 = fma(w00, vec4(v3), fma(w01, vec4(v4), fma(w02, vec4(v5), s23)));
    }
    {
      let row = top + 3u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s10 = fma(w20, vec4(v0), fma(w21, vec4(v1), fma(w22, vec4(v2), s10)));
      s11 = fma(w20, vec4(v1), fma(w21, vec4(v2), fma(w22, vec4(v3), s11)));
      s12 = fma(w20, vec4(v2), fma(w21, vec4(v3), fma(w22, vec4(v4), s12)));
      s13 = fma(w20, vec4(v3), fma(w21, vec4(v4), fma(w22, vec4(v5), s13)));
      s20 = fma(w10, vec4(v0), fma(w11, vec4(v1), fma(w12, vec4(v2), s20)));
      s21 = fma(w10, vec4(v1), fma(w11, vec4(v2), fma(w12, vec4(v3), s21)));
      s22 = fma(w10, vec4(v2), fma(w11, vec4(v3), fma(w12, vec4(v4), s22)));
      s23 = fma(w10, vec4(v3), fma(w11, vec4(v4), fma(w12, vec4(v5), s23)));
      s30 = fma(w00, vec4(v0), fma(w01, vec4(v1), fma(w02, vec4(v2), s30)));
      s31 = fma(w00, vec4(v1), fma(w01, vec4(v2), fma(w02, vec4(v3), s31)));
      s32 = fma(w00, vec4(v2), fma(w01, vec4(v3), fma(w02, vec4(v4), s32)));
      s33 = fma(w00, vec4(v3), fma(w01, vec4(v4), fma(w02, vec4(v5), s33)));
    }
    {
      let row = top + 4u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s20 = fma(w20, vec4(v0), fma(w21, vec4(v1), fma(w22, vec4(v2), s20)));
      s21 = fma(w20, vec4(v1), fma(w21, vec4(v2), fma(w22, vec4(v3), s21)));
      s22 = fma(w20, vec4(v2), fma(w21, vec4(v3), fma(w22, vec4(v4), s22)));
      s23 = fma(w20, vec4(v3), fma(w21, vec4(v4), fma(w22, vec4(v5), s23)));
      s30 = fma(w10, vec4(v0), fma(w11, vec4(v1), fma(w12, vec4(v2), s30)));
      s31 = fma(w10, vec4(v1), fma(w11, vec4(v2), fma(w12, vec4(v3), s31)));
      s32 = fma(w10, vec4(v2), fma(w11, vec4(v3), fma(w12, vec4(v4), s32)));
      s33 = fma(w10, vec4(v3), fma(w11, vec4(v4), fma(w12, vec4(v5), s33)));
    }
    {
      let row = top + 5u - 1u;
      let v0 = at(plane, row, left + 0u - 1u);
      let v1 = at(plane, row, left + 1u - 1u);
      let v2 = at(plane, row, left + 2u - 1u);
      let v3 = at(plane, row, left + 3u - 1u);
      let v4 = at(plane, row, left + 4u - 1u);
      let v5 = at(plane, row, left + 5u - 1u);
      s30 = fma(w20, vec4(v0), fma(w21, vec4(v1), fma(w22, vec4(v2), s30)));
      s31 = fma(w20, vec4(v1), fma(w21, vec4(v2), fma(w22, vec4(v3), s31)));
      s32 = fma(w20, vec4(v2), fma(w21, vec4(v3), fma(w22, vec4(v4), s32)));
      s33 = fma(w20, vec4(v3), fma(w21, vec4(v4), fma(w22, vec4(v5), s33)));
    }
  }

  // A loop, though sums in an array are slower than in registers: written out, 64 stores with their epilogue make up
  // most of the code, and take seconds to compile on software adapters.
  var sums = array<vec4<f32>, 16>(
    s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33);
  let k = K_FIRST + block * 4u;
  for (var i = 0u; i < 64u; i++) {
    let channel = k + i / 16u;
    let row = top + i / 4u % 4u;
    let column = left + i % 4u;
    if (channel < K && row < H && column < W) {
      let place = (channel * H + row) * W + column;
      let v = epilogue(sums[i % 16u][i / 16u], channel, n * K * H * W + place);
      y[Y_OFFSET + n * Y_BATCH + place] = Y_TYPE(v);
    }
  }
}
