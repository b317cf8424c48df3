// Gradient by the bias: gb[k] = sum over n, h, w of gy[n,k,h,w]. First of two passes, bound by memory.
//
// Mapping   workgroup (k, part): 64 invocations walk a piece of the channel's plane side by side, in some images one after
//           the other, four independent sums each, then add up in workgroup memory as a tree. The second pass
//           (reduce_parts.wgsl) adds the parts. Every sum has a fixed order: the same bits each time.
// Dispatch  (K, parts, 1) workgroups of 64.
// FLOPs     one add an element.
// Bytes     4 * gy, once: contiguous runs, so it should run at the device's reading speed.
// Sizes     0: images; 1: elements of a plane; 2: images of a part; 3: elements of a piece, a multiple of 256; 4: pieces of a
//           plane; 5: parts; 6, 7: first element of gy and step between images; 8: first element of part_sums. With one
//           part, part_sums is gb itself. One pipeline for all layers: barriers are long to compile on the CPU.
//           Pieces: sizes.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read_write> part_sums: array<f32>; // [K, parts]

var<workgroup> sums: array<f32, 64>;

// Zero past the last, by `select`: a branch would keep an adapter on the CPU from walking lanes together.
fn load(plane: u32, i: u32) -> f32 {
  let inside = i < size(1);
  return select(0.0, f32(gy[plane + select(0, i, inside)]), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4<f32>();
  let piece = size(3);
  let start = group.y % size(4) * piece + lane;
  let first = group.y / size(4) * size(2);
  for (var n = first; n < min(first + size(2), size(0)); n++) {
    let plane = size(6) + n * size(7) + group.x * size(1);
    for (var i = 0u; i < piece; i += 256) {
      let at = start + i;
      sum += vec4(load(plane, at), load(plane, at + 64), load(plane, at + 128), load(plane, at + 192));
    }
  }
  sums[lane] = (sum.x + sum.y) + (sum.z + sum.w);
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0) {
    part_sums[size(8) + group.x * size(5) + group.y] = sums[0];
  }
}
