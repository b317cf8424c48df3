// Second pass of a product whose r was split into parts: adds them in order, so the bits are the same each time, and
// applies the epilogue that gemm.wgsl could not.
//
// Mapping   one invocation, one element of the result; lanes run along it, so each part is one contiguous read.
// Dispatch  ceil(COUNT / 64) workgroups of 64, spread over x and y of the grid.
// FLOPs     one add an element of part_sums.
// Bytes     4 * (PARTS + 1) * COUNT.
// Consts    COUNT = N * OUT_C * OUT_PLANE, PARTS, OUT_C, OUT_PLANE, OUT_OFFSET, OUT_BATCH, GRID_WIDTH; OUT_TYPE: f32 or f16;
//           those of the epilogue.

// [PARTS][N][OUT_C][OUT_PLANE]
@group(0) @binding(0) var<storage, read> part_sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<OUT_TYPE>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < PARTS; part++) {
    sum += part_sums[part * COUNT + i];
  }
  let image = i / (OUT_C * OUT_PLANE);
  let place = i % (OUT_C * OUT_PLANE);
  output[OUT_OFFSET + image * OUT_BATCH + place] = OUT_TYPE(epilogue(sum, place / OUT_PLANE, i));
}
