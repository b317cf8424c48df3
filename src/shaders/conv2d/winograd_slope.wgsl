// Winograd's weight gradient: a slice of gy's tiles in the transform's domain, transposed(A) gy A. Tiles past the last, and channels
// past it, are zero.
//
// Mapping   one invocation, one tile of one channel; lanes run along tiles.
// Dispatch  (tiles of a slice / 64, padded K, 1) workgroups of 64.
// Bytes     4 * (1 + SIDE * SIDE / (TILE * TILE)) * gy.
// Sizes     see winograd_gemm.wgsl; gy is the output. Pieces: winograd_f2 and winograd_f2_weight, or the same of
//           winograd_f4; sizes.
// Consts    GY_TYPE: f32 or f16.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>; // [SIDE * SIDE][padded K][tiles of a slice]

fn slope(plane: u32, h: u32, w: u32, valid: bool) -> f32 {
  let inside = valid & (h < size(4)) & (w < size(5));
  return select(0.0, f32(gy[select(0, plane + h * size(5) + w, inside)]), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let tile = size(15) + id.x;
  let k = id.y;
  let valid = (tile < size(14)) & (k < size(3));
  let n = tile / size(13);
  let h = tile % size(13) / size(12) * TILE;
  let w = tile % size(12) * TILE;
  let plane = size(10) + n * size(11) + k * size(4) * size(5);

  var rows: array<array<f32, SIDE>, TILE>;
  for (var i = 0u; i < TILE; i++) {
    var g: array<f32, TILE>;
    for (var j = 0u; j < TILE; j++) {
      g[j] = slope(plane, h + i, w + j, valid);
    }
    rows[i] = slope_side(g);
  }
  let step = size(18) * size(16);
  let at = k * size(16) + id.x;
  for (var j = 0u; j < SIDE; j++) {
    var g: array<f32, TILE>;
    for (var i = 0u; i < TILE; i++) {
      g[i] = rows[i][j];
    }
    var column = slope_side(g);
    for (var i = 0u; i < SIDE; i++) {
      transformed[at + (i * SIDE + j) * step] = column[i];
    }
  }
}
