// Winograd's weight gradient, last pass: gw = transposed(G) P G, with P the sum of the parts, added in order.
//
// Mapping   one invocation, one filter; lanes run along input channels, along which P is read.
// Dispatch  (padded C / 64, K, 1) workgroups of 64.
// Bytes     4 * (SIDE * SIDE * parts + 9) * filters.
// Sizes     see winograd_gemm.wgsl. Pieces: as winograd_slope.wgsl.

@group(0) @binding(0) var<storage, read> p: array<f32>; // [parts][SIDE * SIDE][padded K][padded C]
@group(0) @binding(1) var<storage, read_write> gw: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  let k = id.y;
  if (c >= size(0)) {
    return;
  }
  let step = size(17) * size(18);
  let base = k * size(17) + c;
  var rows: array<vec3<f32>, SIDE>;
  for (var i = 0u; i < SIDE; i++) {
    var m: array<f32, SIDE>;
    for (var j = 0u; j < SIDE; j++) {
      var sum = 0.0;
      for (var part = 0u; part < size(22); part++) {
        sum += p[base + ((part * SIDE + i) * SIDE + j) * step];
      }
      m[j] = sum;
    }
    rows[i] = tap_side(m);
  }
  let at = size(20) + (k * size(0) + c) * 9;
  for (var s = 0u; s < 3; s++) {
    var m: array<f32, SIDE>;
    for (var i = 0u; i < SIDE; i++) {
      m[i] = rows[i][s];
    }
    let column = tap_side(m);
    gw[at + s] = column[0];
    gw[at + 3 + s] = column[1];
    gw[at + 6 + s] = column[2];
  }
}
