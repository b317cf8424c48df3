// Gradient by the bias: gb[k] = sum over n, h, w of gy[n,k,h,w]. bias_grad.wgsl for adapters that run on the CPU, where a
// barrier costs as much as a thousand loads: nothing is added across invocations.
//
// Mapping   one invocation walks a piece of a channel's plane, in some images one after the other, with four sums in turn. What
//           lanes read lies far apart, which costs nothing there: a load is a scalar load for each lane, and eight lanes
//           wait for eight lines of the cache at a time. Each begins its run a line further in, and turns round at its end:
//           runs whose lengths are powers of two would meet in one set of the cache. reduce_parts.wgsl adds the parts. Every
//           sum has a fixed order.
// Dispatch  (ceil(K * parts / 8), 1, 1) workgroups of 8.
// FLOPs     one add an element.
// Bytes     4 * gy, once.
// Sizes     0: images; 1: elements of a plane; 2: images of a part; 3: elements of a piece, a multiple of 4; 4: pieces of a plane;
//           5: parts; 6, 7: first element of gy and step between images; 8: first element of part_sums; 9: K. With one
//           part, part_sums is gb itself. Pieces: sizes.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read_write> part_sums: array<f32>; // [K, parts]

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let parts = size(5);
  let k = id.x / parts;
  let part = id.x % parts;
  if (k >= size(9)) {
    return;
  }
  let length = size(1);
  let start = part % size(4) * size(3);
  let end = min(start + size(3), length);
  let first = part / size(4) * size(2);
  let last = min(first + size(2), size(0));
  var sum = vec4<f32>();
  let whole = (end - min(start, end)) / 4 * 4;
  let turn = id.x % 8 * 16 % max(whole, 4);
  for (var n = first; n < last; n++) {
    let run = size(6) + n * size(7) + k * length + start;
    for (var i = 0u; i < whole; i += 4) {
      let turned = i + turn;
      let at = run + turned - select(0, whole, turned >= whole);
      sum += vec4(f32(gy[at]), f32(gy[at + 1]), f32(gy[at + 2]), f32(gy[at + 3]));
    }
    for (var i = start + whole; i < end; i++) {
      sum.x += f32(gy[run + i - start]);
    }
  }
  part_sums[size(8) + id.x] = (sum.x + sum.y) + (sum.z + sum.w);
}
