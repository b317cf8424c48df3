// Packs 3x3 filters of some of a layer's channels for strips.wgsl in the order they are used,
// [block of 8 output channels][input channel][tap][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one word of `packed`.
// Dispatch  (ceil(words of a block / 64), blocks, 1) workgroups of 64.
// Bytes     4 * 2 * filters, small beside the images.
// Sizes     0: input channels packed; 3: output channels; 17: first block; 32: input channels of the layer; 33: first one
//           packed; 34: whether turned; 35: offset of the weights. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let channels = size(0);
  if (i >= channels * 72) {
    return;
  }
  let k = (size(17) + id.y) * 8 + i % 8;
  let c = size(33) + i / 72;
  let tap = i / 8 % 9;
  var value = 0.0;
  if (k < size(3)) {
    let at = select((k * size(32) + c) * 9 + tap, (c * size(3) + k) * 9 + 8 - tap, size(34) != 0);
    value = f32(weight[size(35) + at]);
  }
  packed[id.y * channels * 72 + i] = value;
}
