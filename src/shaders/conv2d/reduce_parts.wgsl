// Second pass of a split sum: out[i] = sum over p of part_sums[p, i], in the order of p, so the same bits each time.
//
// Mapping   one invocation, one result; lanes run along i, so each p is one contiguous read.
// Dispatch  ceil(COUNT / 64) workgroups of 64, spread over x and y of the grid.
// FLOPs     one add an element of part_sums.
// Bytes     4 * (PARTS + 1) * COUNT.
// Consts    COUNT, PARTS, PART_STRIDE and ITEM_STRIDE (elements of part_sums between parts and between items),
//           OUT_OFFSET, GRID_WIDTH.

@group(0) @binding(0) var<storage, read> part_sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  var sum = 0.0;
  for (var p = 0u; p < PARTS; p++) {
    sum += part_sums[p * PART_STRIDE + i * ITEM_STRIDE];
  }
  out[OUT_OFFSET + i] = sum;
}
