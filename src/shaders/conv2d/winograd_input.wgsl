// Winograd, pass 2 of 4: a slice of the input's tiles in the transform's domain, V = B d transposed(B), with d the SIDE x SIDE
// pixels round a tile, zero outside the image. Tiles past the last, and channels past it, are zero.
//
// Mapping   one invocation, one tile of one channel; lanes run along tiles, along which V is written.
// Dispatch  (tiles of a slice / 64, padded C, 1) workgroups of 64.
// Bytes     4 * (1 + SIDE * SIDE / (TILE * TILE)) * in: four (F2) or 2.25 (F4) times the input is written. So it goes by
//           slices that stay small enough for a cache; see conv2dWinograd.ts.
// Sizes     see winograd_gemm.wgsl. Pieces: winograd_f2 or winograd_f4, sizes.
// Consts    IN_TYPE: what an element is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>; // [SIDE * SIDE][padded C][tiles of a slice]

// Unsigned: above and left of the image the index wraps round to a huge one.
fn pixel(plane: u32, h: u32, w: u32, valid: bool) -> f32 {
  let inside = valid & (h < size(1)) & (w < size(2));
  return select(0.0, f32(input[select(0, plane + h * size(2) + w, inside)]), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let tile = size(15) + id.x;
  let c = id.y;
  let valid = (tile < size(14)) & (c < size(0));
  let n = tile / size(13);
  let h = tile % size(13) / size(12) * TILE - size(6);
  let w = tile % size(12) * TILE - size(7);
  let plane = size(8) + n * size(9) + c * size(1) * size(2);

  var rows: array<array<f32, SIDE>, SIDE>;
  for (var i = 0u; i < SIDE; i++) {
    var d: array<f32, SIDE>;
    for (var j = 0u; j < SIDE; j++) {
      d[j] = pixel(plane, h + i, w + j, valid);
    }
    rows[i] = input_side(d);
  }
  let step = size(17) * size(16);
  let at = c * size(16) + id.x;
  for (var j = 0u; j < SIDE; j++) {
    var d: array<f32, SIDE>;
    for (var i = 0u; i < SIDE; i++) {
      d[i] = rows[i][j];
    }
    d = input_side(d);
    for (var i = 0u; i < SIDE; i++) {
      transformed[at + (i * SIDE + j) * step] = d[i];
    }
  }
}
