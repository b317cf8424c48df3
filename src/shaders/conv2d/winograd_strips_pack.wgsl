// Packs U = G g of the columns of 3x3 filters of some of a layer's input channels for winograd_strips.wgsl, in the order they are used,
// [block of 8 output channels][input channel][6][column][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one column of a filter: 3 words read, 6 written.
// Dispatch  (ceil(words of a block / 6 / 64), blocks, 1) workgroups of 64.
// Bytes     4 * 3 * filters, small beside the images.
// Sizes     0: input channels packed; 3: output channels; 14: words from one block to the next; 32: input channels of the layer; 33: first one
//           packed; 34: whether turned; 35: offset of the weights. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let channels = size(0);
  if (i >= channels * 24) {
    return;
  }
  let lane = i % 8;
  let s = i / 8 % 3;
  let k = id.y * 8 + lane;
  let c = size(33) + i / 24;
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
  let at = id.y * size(14) + i / 24 * 144 + s * 8 + lane;
  packed[at] = g[0] / 4;
  packed[at + 24] = -(even + g[1]) / 6;
  packed[at + 48] = (g[1] - even) / 6;
  packed[at + 72] = even2 + g[1] / 12;
  packed[at + 96] = even2 - g[1] / 12;
  packed[at + 120] = g[2];
}
