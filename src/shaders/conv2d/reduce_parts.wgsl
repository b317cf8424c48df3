// Second pass of a split sum: out[i] = sum over p of part_sums[p, i], in the order of p, so the same bits each time.
//
// Mapping   one invocation, one result; lanes run along i, so each p is one contiguous read.
// Dispatch  ceil(count / 64) workgroups of 64, spread over x and y of the grid.
// FLOPs     one add an element of part_sums.
// Bytes     4 * (parts + 1) * count.
// Sizes     0: count; 1: parts; 2, 3: elements of part_sums between parts and between items; 4: first element of out;
//           5: invocations in a row of the grid. Pieces: sizes.

@group(0) @binding(0) var<storage, read> part_sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * size(5);
  if (i >= size(0)) {
    return;
  }
  var sum = 0.0;
  for (var p = 0u; p < size(1); p++) {
    sum += part_sums[p * size(2) + i * size(3)];
  }
  out[size(4) + i] = sum;
}
