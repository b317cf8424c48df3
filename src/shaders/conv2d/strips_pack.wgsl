// Prepares a run of strips.wgsl: the sizes of the layer, then the 3x3 filters of some of its channels in the order they are used,
// [block of 8 output channels][input channel][tap][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one word of `packed`.
// Dispatch  ceil(words / 64) workgroups of 64.
// Bytes     4 * 2 * filters, small beside the images.
// Consts    SIZES: 24 words copied to the head; IN, OUT: channels of the layer; C_FIRST, CHANNELS: input channels packed;
//           K_FIRST, BLOCKS: first output channel packed, and blocks of 8; TURNED: for the input gradient; WEIGHT_OFFSET.

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < 24) {
    var sizes = SIZES;
    packed[i] = bitcast<f32>(sizes[i]);
  }
  if (i >= BLOCKS * CHANNELS * 72) {
    return;
  }
  let k = K_FIRST + i / (CHANNELS * 72) * 8 + i % 8;
  let c = C_FIRST + i / 72 % CHANNELS;
  let tap = i / 8 % 9;
  var value = 0.0;
  if (k < OUT) {
    let at = select((k * IN + c) * 9 + tap, (c * OUT + k) * 9 + 8 - tap, TURNED);
    value = weight[WEIGHT_OFFSET + at];
  }
  packed[24 + i] = value;
}
