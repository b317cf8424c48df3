// Prepares a run of strips.wgsl: the sizes of the layer, then its 3x3 filters in the order they are used,
// [block of 8 output channels][input channel][tap][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one word of `packed`.
// Dispatch  ceil(words / 64) workgroups of 64, spread over x and y of the grid.
// Bytes     4 * 2 * filters, small beside the images.
// Consts    SIZES: 24 words copied to the head; IN, OUT: channels; TURNED: for the input gradient; WEIGHT_OFFSET; GRID_WIDTH.

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

const COUNT = (OUT + 7) / 8 * IN * 72;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i < 24) {
    var sizes = SIZES;
    packed[i] = bitcast<f32>(sizes[i]);
  }
  if (i >= COUNT) {
    return;
  }
  let k = i / (IN * 72) * 8 + i % 8;
  let c = i / 72 % IN;
  let tap = i / 8 % 9;
  var value = 0.0;
  if (k < OUT) {
    let at = select((k * IN + c) * 9 + tap, (c * OUT + k) * 9 + 8 - tap, TURNED);
    value = weight[WEIGHT_OFFSET + at];
  }
  packed[24 + i] = value;
}
