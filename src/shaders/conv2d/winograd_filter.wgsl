// Winograd, pass 1 of 4: the filters in the transform's domain, U = G g transposed(G), zero past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one filter; lanes run along output channels, along which U is written.
// Dispatch  (padded K / 64, padded C, 1) workgroups of 64.
// Bytes     4 * (9 + SIDE * SIDE) * filters.
// Sizes     see winograd_gemm.wgsl. Pieces: winograd_f2 or winograd_f4, sizes.
// Consts    WEIGHT_TYPE: f32 or f16.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>; // [SIDE * SIDE][padded C][padded K]

fn row(k: u32, c: u32, r: u32) -> vec3<f32> {
  if ((k >= size(3)) | (c >= size(0))) {
    return vec3<f32>();
  }
  if (size(19) != 0) {
    let at = size(20) + (c * size(3) + k) * 9 + 8 - 3 * r;
    return vec3(f32(weight[at]), f32(weight[at - 1]), f32(weight[at - 2]));
  }
  let at = size(20) + (k * size(0) + c) * 9 + 3 * r;
  return vec3(f32(weight[at]), f32(weight[at + 1]), f32(weight[at + 2]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x;
  let c = id.y;
  var r0 = filter_side(row(k, c, 0));
  var r1 = filter_side(row(k, c, 1));
  var r2 = filter_side(row(k, c, 2));
  let step = size(17) * size(18);
  let at = c * size(18) + k;
  for (var j = 0u; j < SIDE; j++) {
    var column = filter_side(vec3(r0[j], r1[j], r2[j]));
    for (var i = 0u; i < SIDE; i++) {
      transformed[at + (i * SIDE + j) * step] = column[i];
    }
  }
}
