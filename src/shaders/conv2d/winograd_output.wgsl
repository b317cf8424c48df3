// Winograd, pass 4 of 4: a slice of the output, y = epilogue(A M transposed(A)).
//
// Mapping   one invocation, one tile of one channel; lanes run along tiles, along which M is read.
// Dispatch  (tiles of a slice / 64, K, 1) workgroups of 64.
// Bytes     4 * (1 + SIDE * SIDE / (TILE * TILE)) * out.
// Sizes     see winograd_gemm.wgsl. Pieces: winograd_f2 or winograd_f4, sizes, epilogue_shared.
// Consts    OUT_TYPE: f32 or f16.

@group(0) @binding(0) var<storage, read> products: array<f32>; // [SIDE * SIDE][padded K][tiles of a slice]
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let tile = size(15) + id.x;
  let k = id.y;
  if (tile >= size(14)) {
    return;
  }
  let height = size(4);
  let width = size(5);
  let n = tile / size(13);
  let h = tile % size(13) / size(12) * TILE;
  let w = tile % size(12) * TILE;

  let step = size(18) * size(16);
  let base = k * size(16) + id.x;
  var columns: array<array<f32, TILE>, SIDE>;
  for (var j = 0u; j < SIDE; j++) {
    var m: array<f32, SIDE>;
    for (var i = 0u; i < SIDE; i++) {
      m[i] = products[base + (i * SIDE + j) * step];
    }
    columns[j] = output_side(m);
  }
  let b = bias_of(k);
  for (var i = 0u; i < TILE; i++) {
    var m: array<f32, SIDE>;
    for (var j = 0u; j < SIDE; j++) {
      m[j] = columns[j][i];
    }
    var y = output_side(m);
    for (var j = 0u; j < TILE; j++) {
      if (h + i < height && w + j < width) {
        let at = (k * height + h + i) * width + w + j;
        output[size(10) + n * size(11) + at] = OUT_TYPE(activate(y[j] + b, n * size(3) * height * width + at));
      }
    }
  }
}
