// Packs U = G g of the columns of 3x3 filters of some of a layer's input channels for winograd_strips.wgsl, in the order they
// are used, [block of 8 output channels][input channel][6][column][8], zero where a block is past the last channel.
//
// For the input gradient the filters are turned: input and output channels exchanged, taps reversed.
//
// Mapping   one invocation, one column of a filter, of every input channel that its workgroup comes to (see strips_pack.wgsl): 3
//           words read, 6 written.
// Dispatch  (workgroups that share the input channels, blocks, 1) workgroups of 24.
// Bytes     4 * 3 * filters, small beside the images.
// Sizes     as strips_pack.wgsl. Pieces: sizes.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(24)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) i: u32) {
  let lane = i % 8;
  let s = i / 8;
  let k = group.y * 8 + lane;
  let turned = size(34) != 0;
  let valid = k < size(3);
  let from_k = select(k * size(32) * 9 + s, k * 9 + 8 - s, turned);
  let from_c = select(9, size(3) * 9, turned);
  let first = size(35) + size(33) * from_c + select(select(0u, 6u, turned), from_k, valid);
  for (var c = group.x; c < size(0); c += size(36)) {
    let at = first + c * from_c;
    let second = select(at + 3, at - 3, turned);
    let third = select(at + 6, at - 6, turned);
    let g = select(vec3<f32>(), vec3(f32(weight[at]), f32(weight[second]), f32(weight[third])), valid);
    let even = g[0] + g[2];
    let even2 = g[0] / 24 + g[2] / 6;
    let to = group.y * size(14) + c * 144 + i;
    packed[to] = g[0] / 4;
    packed[to + 24] = -(even + g[1]) / 6;
    packed[to + 48] = (g[1] - even) / 6;
    packed[to + 72] = even2 + g[1] / 12;
    packed[to + 96] = even2 - g[1] / 12;
    packed[to + 120] = g[2];
  }
}
