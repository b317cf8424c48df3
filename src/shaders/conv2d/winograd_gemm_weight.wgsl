// Winograd's weight gradient: for each of the 16 places of the transform's domain a matrix product over a slice's tiles,
//
//   P[part][place][k][c] (+)= sum over the part's tiles of W[place][k][tile] * V[place][c][tile]
//
// Mapping   a workgroup computes 64 output x 64 input channels of one place, an invocation 8 x 8 of them. 16 tiles of both
//           factors at a time go through workgroup memory, turned so that channels lie side by side there.
// Split     Channels are few and tiles many: a slice's tiles are dealt out to `parts` workgroups, each with sums of its own,
//           which go on from slice to slice. winograd_taps.wgsl adds them up in order: the same bits each time.
// Dispatch  (padded C / 64, padded K / 64, 16 * parts) workgroups of 64.
// FLOPs     2 * 16 * K*C * tiles: 1 / 2.25 of the direct algorithm's.
// Bytes     4 * 16 * ((C + K) * tiles + 2 * parts * C*K).
// Sizes     see winograd_gemm.wgsl. Pieces: sizes.

@group(0) @binding(0) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>; // [parts][16][padded K][padded C]

var<workgroup> ws: array<f32, 1024>; // [16 tiles][64 k]
var<workgroup> vs: array<f32, 1024>; // [16 tiles][64 c]

// Four tiles of one channel, `i` the place of the first.
fn turn_w(i: u32, four: vec4<f32>) {
  ws[i] = four[0];
  ws[i + 64] = four[1];
  ws[i + 128] = four[2];
  ws[i + 192] = four[3];
}

fn turn_v(i: u32, four: vec4<f32>) {
  vs[i] = four[0];
  vs[i + 64] = four[1];
  vs[i + 128] = four[2];
  vs[i + 192] = four[3];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
  let channels = size(17);
  let out_channels = size(18);
  let step = size(16) / 4;
  let run = step / size(22); // vec4 of tiles of a part
  let place = group.z % 16;
  let part = group.z / 16;
  // This invocation loads one channel of each factor.
  let w_at = (place * out_channels + group.y * 64 + id) * step + part * run;
  let v_at = (place * channels + group.x * 64 + id) * step + part * run;
  // Its results: output channels y + 8 i, input channels x + 8 j.
  let x = id % 8;
  let y = id / 8;
  let first = ((part * 16 + place) * out_channels + group.y * 64 + y) * channels + group.x * 64 + x;

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
    turn_w(id, w[w_at + t]);
    turn_w(id + 256, w[w_at + t + 1]);
    turn_w(id + 512, w[w_at + t + 2]);
    turn_w(id + 768, w[w_at + t + 3]);
    turn_v(id, v[v_at + t]);
    turn_v(id + 256, v[v_at + t + 1]);
    turn_v(id + 512, v[v_at + t + 2]);
    turn_v(id + 768, v[v_at + t + 3]);
    workgroupBarrier();
    for (var i = 0u; i < 1024; i += 64) {
      let b = vec4(vs[i + x], vs[i + x + 8], vs[i + x + 16], vs[i + x + 24]);
      let c = vec4(vs[i + x + 32], vs[i + x + 40], vs[i + x + 48], vs[i + x + 56]);
      let a0 = ws[i + y];
      let a1 = ws[i + y + 8];
      let a2 = ws[i + y + 16];
      let a3 = ws[i + y + 24];
      let a4 = ws[i + y + 32];
      let a5 = ws[i + y + 40];
      let a6 = ws[i + y + 48];
      let a7 = ws[i + y + 56];
      left[0] += a0 * b;
      left[1] += a1 * b;
      left[2] += a2 * b;
      left[3] += a3 * b;
      left[4] += a4 * b;
      left[5] += a5 * b;
      left[6] += a6 * b;
      left[7] += a7 * b;
      right[0] += a0 * c;
      right[1] += a1 * c;
      right[2] += a2 * c;
      right[3] += a3 * c;
      right[4] += a4 * c;
      right[5] += a5 * c;
      right[6] += a6 * c;
      right[7] += a7 * c;
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
