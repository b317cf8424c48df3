// Prepares a run of patches.wgsl or tile.wgsl: address steps of both matrix sides, and weights in the order they are used,
// zero where a block of m or four r is past the last.
//
// Mapping   one invocation, one word of each table and of the weights.
// Dispatch  ceil(blocks * R4 * B / 64) workgroups of 64, spread over x and y of the grid; B: m of a block.
// Bytes     4 * 2 * weights, small beside the images.
// Sizes     0: R4, the r of this chunk rounded up to a multiple of 4; 1: M; 19: first block; 32: R; 33, 34: first r of the
//           chunk and how many; 35: blocks; 36: backward (false, r = (c, tap) and m = k; true, r = k and m = (c, tap));
//           37, 38: KH * KW and KW; 39, 40: steps of a tap down and across; 41, 42: elements of a channel of the image that
//           taps walk in and of the one with a pixel a patch; 43: offset of the weights; 44: B; 45: invocations in a row of
//           the grid. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>; // [K, C, KH, KW]
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

// Address of (c, tap) in the image that taps walk in, or of a channel in the other.
fn step(i: u32, is_tap: bool) -> u32 {
  let tap = i % size(37);
  let walk = i / size(37) * size(41) + tap / size(38) * size(39) + tap % size(38) * size(40);
  return select(i * size(42), walk, is_tap);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * size(45);
  let r4 = size(0);
  let all_m = size(1);
  let all_r = size(32);
  let backward = size(36) != 0;
  let b = size(44);
  let block_words = (2 + r4) * b;
  let first_m = size(19) * b;
  if (i < r4) {
    packed[i] = bitcast<f32>(step(min(size(33) + i, all_r - 1), !backward));
  }
  if (i < size(35) * b) {
    let m = min(first_m + i, all_m - 1);
    let at = r4 + i / b * block_words + i % b;
    packed[at] = bitcast<f32>(step(m, backward));
    packed[at + b] = bitcast<f32>(select(m, m / size(37), backward));
  }
  if (i >= size(35) * r4 * b) {
    return;
  }
  let block = i / (r4 * b);
  let r = size(33) + i / b % r4;
  let m = first_m + block * b + i % b;
  var value = 0.0;
  if (r < size(33) + size(34) && m < all_m) {
    value = f32(weight[size(43) + select(m * all_r + r, r * all_m + m, backward)]);
  }
  packed[r4 + block * block_words + 2 * b + i % (r4 * b)] = value;
}
