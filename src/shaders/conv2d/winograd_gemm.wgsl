// Winograd, pass 3 of 4: for each of the SIDE * SIDE places of the transform's domain a matrix product over the channels,
//
//   M[place][k][tile] = sum over c of U[place][c][k] * V[place][c][tile]
//
// Mapping   a workgroup computes 64 output channels x 64 tiles of one place, an invocation 8 x 8 of them. 16 channels of
//           both factors at a time go through workgroup memory: 8 vec4 loaded for 1024 multiply-adds an invocation.
// Dispatch  (tiles of a slice / 64, padded K / 64, SIDE * SIDE) workgroups of 64.
// FLOPs     2 * SIDE * SIDE * K*C * tiles: 1 / 2.25 (F2) or 1 / 4 (F4) of the direct algorithm's.
// Bytes     4 * SIDE * SIDE * (C*K + (C + K) * tiles); each factor is read once for every 64 rows of the other.
// Why       8 x 8 to an invocation: one vec4 from workgroup memory serves 16 multiply-adds. No bounds are tested, since all
//           three are padded to whole tiles.
// Sizes     of all Winograd passes. 0: input channels C; 1, 2: input height and width; 3: output channels K; 4, 5: output height
//           and width; 6, 7: padding; 8, 9: input offset and batch step; 10, 11: those of the output; 12: tiles of a row;
//           13: of an image; 14: of all; 15: first tile of this slice; 16: tiles of a slice; 17: C padded (to 16, for the weight
//           gradient to 64); 18: K padded to 64; 19: whether filters are turned; 20: offset of the weights;
//           21, 22 (weight gradient): whether to add to what is there; parts.
// Pieces    sizes, unrolled or rolled.

@group(0) @binding(0) var<storage, read> u: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4<f32>>;

var<workgroup> us: array<vec4<f32>, 256>; // [16 channels][64 k]
var<workgroup> vs: array<vec4<f32>, 256>; // [16 channels][64 tiles]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
  let channels = size(17);
  let u_step = size(18) / 4;
  let v_step = size(16) / 4;
  // Where this invocation loads from: vec4 id % 16 of channels id / 16 + 0, 4, 8 and 12.
  var u_at = (group.z * channels + id / 16) * u_step + group.y * 16 + id % 16;
  var v_at = (group.z * channels + id / 16) * v_step + group.x * 16 + id % 16;
  // Its 8 x 8 results: rows 4 y to 4 y + 3 and 32 more, columns likewise, so that neighbours read neighbouring vec4.
  let x = id % 8;
  let y = id / 8;
  var sums: array<vec4<f32>, 16>;
  for (var c = 0u; c < channels; c += 16) {
    us[id] = u[u_at];
    us[id + 64] = u[u_at + 4 * u_step];
    us[id + 128] = u[u_at + 8 * u_step];
    us[id + 192] = u[u_at + 12 * u_step];
    vs[id] = v[v_at];
    vs[id + 64] = v[v_at + 4 * v_step];
    vs[id + 128] = v[v_at + 8 * v_step];
    vs[id + 192] = v[v_at + 12 * v_step];
    u_at += 16 * u_step;
    v_at += 16 * v_step;
    workgroupBarrier();
    for (var i = START; i < 16; i++) {
      let a = us[i * 16 + y];
      let b = us[i * 16 + 8 + y];
      let left = vs[i * 16 + x];
      let right = vs[i * 16 + 8 + x];
      sums[0] += a[0] * left;
      sums[1] += a[1] * left;
      sums[2] += a[2] * left;
      sums[3] += a[3] * left;
      sums[4] += b[0] * left;
      sums[5] += b[1] * left;
      sums[6] += b[2] * left;
      sums[7] += b[3] * left;
      sums[8] += a[0] * right;
      sums[9] += a[1] * right;
      sums[10] += a[2] * right;
      sums[11] += a[3] * right;
      sums[12] += b[0] * right;
      sums[13] += b[1] * right;
      sums[14] += b[2] * right;
      sums[15] += b[3] * right;
    }
    workgroupBarrier();
  }
  let at = (group.z * size(18) + group.y * 64 + y * 4) * v_step + group.x * 16 + x;
  for (var i = 0u; i < 4; i++) {
    let row = at + i * v_step;
    m[row] = sums[i];
    m[row + 32 * v_step] = sums[i + 4];
    m[row + 8] = sums[i + 8];
    m[row + 32 * v_step + 8] = sums[i + 12];
  }
}
