// Packs U = G g of the columns of 3x3 filters of some of a layer's input channels for winograd_strips.wgsl, in the order they
// are used, [block of 8 output channels][input channel][6][column][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one column of a filter: 3 words read, 6 written; a workgroup, one input channel of a block.
// Dispatch  (input channels, blocks, 1) workgroups of 24.
// Bytes     4 * 3 * filters, small beside the images.
// Sizes     3: output channels; 14: words from one block to the next; 32: input channels of the layer; 33: first one packed;
//           34: whether turned; 35: offset of the weights. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(24)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) i: u32) {
  let lane = i % 8;
  let s = i / 8;
  let k = group.y * 8 + lane;
  let c = size(33) + group.x;
  var g = vec3<f32>();
  if (k < size(3)) {
    if (size(34) != 0) {
      let at = size(35) + (c * size(3) + k) * 9 + 8 - s;
      g = vec3(f32(weight[at]), f32(weight[at - 3]), f32(weight[at - 6]));
    } else {
      let at = size(35) + (k * size(32) + c) * 9 + s;
      g = vec3(f32(weight[at]), f32(weight[at + 3]), f32(weight[at + 6]));
    }
  }
  let even = g[0] + g[2];
  let even2 = g[0] / 24 + g[2] / 6;
  let at = group.y * size(14) + group.x * 144 + i;
  packed[at] = g[0] / 4;
  packed[at + 24] = -(even + g[1]) / 6;
  packed[at + 48] = (g[1] - even) / 6;
  packed[at + 72] = even2 + g[1] / 12;
  packed[at + 96] = even2 - g[1] / 12;
  packed[at + 120] = g[2];
}
