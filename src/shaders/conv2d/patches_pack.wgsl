// Prepares a run of patches.wgsl: sizes, address steps of both matrix sides, and weights in the order they are used, zero
// where a block of 32 m or four r is past the last.
//
// Mapping   one invocation, one word of each table and of the weights.
// Dispatch  ceil(BLOCKS * R4 * 32 / 64) workgroups of 64.
// Bytes     4 * 2 * weights, small beside the images.
// Consts    SIZES: 24 words copied to the head; R, M: of the layer; R_FIRST, R_COUNT, R4: the r of this chunk, R4 rounded up to
//           a multiple of 4; M_FIRST, BLOCKS: first m of this launch, and blocks of 32; BACKWARD: false, r = (c, tap) and
//           m = k; true, r = k and m = (c, tap). KH, KW, DH, DW; WIDTH: of the image that taps walk in; IMAGE_PLANE and
//           SMALL_PLANE: elements of a channel of that image and of the one with a pixel a patch; WEIGHT_OFFSET.

@group(0) @binding(0) var<storage, read> weight: array<f32>; // [K, C, KH, KW]
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

const TAPS = KH * KW;
const BLOCK = 64 + R4 * 32; // words of a block

// Address of (c, tap) in the image that taps walk in, or of a channel in the other.
fn step(i: u32, is_tap: bool) -> u32 {
  let tap = i % TAPS;
  let walk = i / TAPS * IMAGE_PLANE + tap / KW * DH * WIDTH + tap % KW * DW;
  return select(i * SMALL_PLANE, walk, is_tap);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < 24) {
    var sizes = SIZES;
    packed[i] = bitcast<f32>(sizes[i]);
  }
  if (i < R4) {
    packed[24 + i] = bitcast<f32>(step(min(R_FIRST + i, R - 1), !BACKWARD));
  }
  if (i < BLOCKS * 32) {
    let m = min(M_FIRST + i, M - 1);
    let at = 24 + R4 + i / 32 * BLOCK + i % 32;
    packed[at] = bitcast<f32>(step(m, BACKWARD));
    packed[at + 32] = bitcast<f32>(select(m, m / TAPS, BACKWARD));
  }
  if (i >= BLOCKS * R4 * 32) {
    return;
  }
  let block = i / (R4 * 32);
  let r = R_FIRST + i / 32 % R4;
  let m = M_FIRST + block * 32 + i % 32;
  var value = 0.0;
  if (r < R_FIRST + R_COUNT && m < M) {
    value = weight[WEIGHT_OFFSET + select(m * R + r, r * M + m, BACKWARD)];
  }
  packed[24 + R4 + block * BLOCK + 64 + i % (R4 * 32)] = value;
}
