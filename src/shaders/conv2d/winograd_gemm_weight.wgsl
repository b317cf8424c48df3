// Winograd's weight gradient: for each of the SIDE * SIDE places of the transform's domain a matrix product over a slice's tiles,
//
//   P[part][place][k][c] (+)= sum over the part's tiles of W[place][k][tile] * V[place][c][tile]
//
// Mapping   a workgroup computes 64 output x 64 input channels of one place, an invocation 8 x 8 of them. 16 tiles of both
//           factors at a time go through workgroup memory as they come: a vector holds four tiles of one channel. Rows of 64
//           such vectors are two longer, so that the four lanes that load one channel store to different banks.
// Split     Channels are few and tiles many: a slice's tiles are dealt out to `parts` workgroups, each with sums of its own,
//           which go on from slice to slice. winograd_taps.wgsl adds them up in order: the same bits each time.
// Dispatch  (padded C / 64, padded K / 64, SIDE * SIDE * parts) workgroups of 64.
// FLOPs     2 * SIDE * SIDE * K*C * tiles: 1 / 2.25 (F2) or 1 / 4 (F4) of the direct algorithm's.
// Bytes     4 * SIDE * SIDE * ((C + K) * tiles + 2 * parts * C*K).
// Why       As winograd_gemm.wgsl: 16 vec4 from workgroup memory serve 256 multiply-adds.
// Sizes     see winograd_gemm.wgsl. Pieces: winograd_f2 or winograd_f4, outer_product, sizes, unrolled or rolled.

@group(0) @binding(0) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>; // [parts][SIDE * SIDE][padded K][padded C]

const PLACES = SIDE * SIDE;
const ROW = 66;
var<workgroup> ws: array<vec4<f32>, 4 * ROW>; // [four tiles][64 k and 2]
var<workgroup> vs: array<vec4<f32>, 4 * ROW>; // [four tiles][64 c and 2]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
  let channels = size(17);
  let out_channels = size(18);
  let step = size(16) / 4;
  let run = step / size(22); // vec4 of tiles of a part
  let place = group.z % PLACES;
  let part = group.z / PLACES;
  // This invocation loads the vector id % 4 of channels id / 4 + 0, 16, 32 and 48.
  var w_at = (place * out_channels + group.y * 64 + id / 4) * step + part * run + id % 4;
  var v_at = (place * channels + group.x * 64 + id / 4) * step + part * run + id % 4;
  let put = id % 4 * ROW + id / 4;
  // Its results: output channels y + 8 i, input channels x + 8 j.
  let x = id % 8;
  let y = id / 8;
  let first = ((part * PLACES + place) * out_channels + group.y * 64 + y) * channels + group.x * 64 + x;

  var left: array<vec4<f32>, 8>;  // input channels x, x + 8, x + 16, x + 24
  var right: array<vec4<f32>, 8>; // and 32 more
  if (size(21) != 0) {
    for (var i = 0u; i < 8; i++) {
      let at = first + i * 8 * channels;
      left[i] = vec4(p[at], p[at + 8], p[at + 16], p[at + 24]);
      right[i] = vec4(p[at + 32], p[at + 40], p[at + 48], p[at + 56]);
    }
  }
  for (var t = 0u; t < run; t += 4) {
    ws[put] = w[w_at];
    ws[put + 16] = w[w_at + 16 * step];
    ws[put + 32] = w[w_at + 32 * step];
    ws[put + 48] = w[w_at + 48 * step];
    vs[put] = v[v_at];
    vs[put + 16] = v[v_at + 16 * step];
    vs[put + 32] = v[v_at + 32 * step];
    vs[put + 48] = v[v_at + 48 * step];
    w_at += 4;
    v_at += 4;
    workgroupBarrier();
    for (var k = START; k < 4; k++) {
      let c = k * ROW + x;
      let near = transpose(mat4x4(vs[c], vs[c + 8], vs[c + 16], vs[c + 24]));
      let far = transpose(mat4x4(vs[c + 32], vs[c + 40], vs[c + 48], vs[c + 56]));
      let at = k * ROW + y;
      let a0 = ws[at];
      left[0] = outer(left[0], near, a0);
      right[0] = outer(right[0], far, a0);
      let a1 = ws[at + 8];
      left[1] = outer(left[1], near, a1);
      right[1] = outer(right[1], far, a1);
      let a2 = ws[at + 16];
      left[2] = outer(left[2], near, a2);
      right[2] = outer(right[2], far, a2);
      let a3 = ws[at + 24];
      left[3] = outer(left[3], near, a3);
      right[3] = outer(right[3], far, a3);
      let a4 = ws[at + 32];
      left[4] = outer(left[4], near, a4);
      right[4] = outer(right[4], far, a4);
      let a5 = ws[at + 40];
      left[5] = outer(left[5], near, a5);
      right[5] = outer(right[5], far, a5);
      let a6 = ws[at + 48];
      left[6] = outer(left[6], near, a6);
      right[6] = outer(right[6], far, a6);
      let a7 = ws[at + 56];
      left[7] = outer(left[7], near, a7);
      right[7] = outer(right[7], far, a7);
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 8; i++) {
    let at = first + i * 8 * channels;
    p[at] = left[i][0];
    p[at + 8] = left[i][1];
    p[at + 16] = left[i][2];
    p[at + 24] = left[i][3];
    p[at + 32] = right[i][0];
    p[at + 40] = right[i][1];
    p[at + 48] = right[i][2];
    p[at + 56] = right[i][3];
  }
}
