// Prepares a run of patches.wgsl: sizes, address steps of both matrix sides, and weights in the order they are used, zero
// where a block of eight m or four r is past the last.
//
// Mapping   one invocation, one word of each table and of the weights.
// Dispatch  ceil(words / 64) workgroups of 64, spread over x and y of the grid.
// Bytes     4 * 2 * weights, small beside the images.
// Consts    SIZES: 24 words copied to the head; R, M; R4, M8: rounded up; BACKWARD: false, r = (c, tap) and m = k; true,
//           r = k and m = (c, tap). C, K; KH, KW, DH, DW; WIDTH: of the image that taps walk in; IMAGE_PLANE and SMALL_PLANE:
//           elements of a channel of that image and of the one with a pixel a patch; WEIGHT_OFFSET; GRID_WIDTH.

@group(0) @binding(0) var<storage, read> weight: array<f32>; // [K, C, KH, KW]
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

const TAPS = KH * KW;

// Address of (c, tap) in the image that taps walk in.
fn tap_step(i: u32) -> u32 {
  let c = i / TAPS;
  let tap = i % TAPS;
  return c * IMAGE_PLANE + tap / KW * DH * WIDTH + tap % KW * DW;
}

fn step(i: u32, is_tap: bool) -> u32 {
  return select(i * SMALL_PLANE, tap_step(i), is_tap);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i < 24) {
    var sizes = SIZES;
    packed[i] = bitcast<f32>(sizes[i]);
  }
  if (i < R4) {
    packed[24 + i] = bitcast<f32>(step(min(i, R - 1), !BACKWARD));
  }
  if (i < M8) {
    packed[24 + R4 + i] = bitcast<f32>(step(min(i, M - 1), BACKWARD));
    packed[24 + R4 + M8 + i] = bitcast<f32>(select(i, i / TAPS, BACKWARD));
  }
  if (i >= M8 * R4) {
    return;
  }
  let r = i / 8 % R4;
  let m = i / (8 * R4) * 8 + i % 8;
  var value = 0.0;
  if (r < R && m < M) {
    value = weight[WEIGHT_OFFSET + select(m * R + r, r * M + m, BACKWARD)];
  }
  packed[24 + R4 + 2 * M8 + i] = value;
}
