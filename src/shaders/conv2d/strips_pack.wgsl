// Packs 3x3 filters of some of a layer's input channels for strips.wgsl and its like in the order they are used,
// [block of 8 output channels][input channel][tap][8], zero where a block is past the last channel. With TOGETHER = 4 taps lie
// four together, [3][8][4], zero where there is none.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one word of an input channel of a block, and of every channel that its workgroup comes to: on a CPU a
//           workgroup costs as much to begin as it does to pack several. Nothing is divided but by powers of two, which the CPU
//           does lane by lane.
// Dispatch  (workgroups that share the input channels, blocks, 1) workgroups of WORDS.
// Bytes     4 * 2 * filters, small beside the images.
// Consts    TOGETHER: 1 or 4.
// Sizes     0: input channels packed; 3: output channels; 14: words from one block to the next; 32: input channels of the layer;
//           33: first one packed; 34: whether turned; 35: offset of the weights; 36: workgroups along x. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

// Of one input channel and 8 output channels.
const WORDS = (9 + TOGETHER - 1) / TOGETHER * TOGETHER * 8;

@compute @workgroup_size(WORDS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) i: u32) {
  let k = group.y * 8 + i / TOGETHER % 8;
  let tap = i / (8 * TOGETHER) * TOGETHER + i % TOGETHER;
  let turned = size(34) != 0;
  let valid = (k < size(3)) & (tap < 9);
  let from_k = select(k * size(32) * 9 + tap, k * 9 + 8 - tap, turned);
  let from_c = select(9, size(3) * 9, turned);
  let first = size(35) + size(33) * from_c + select(0, from_k, valid);
  let to = group.y * size(14) + i;
  for (var c = group.x; c < size(0); c += size(36)) {
    packed[to + c * WORDS] = select(0.0, f32(weight[first + c * from_c]), valid);
  }
}
