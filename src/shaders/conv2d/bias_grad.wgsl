// Gradient by the bias: gb[k] = sum over n, h, w of gy[n,k,h,w]. First of two passes, bound by memory.
//
// Mapping   workgroup (k, part): 64 invocations walk the part's elements side by side, four independent sums each, then
//           add up in workgroup memory as a tree. The second pass (reduce_parts.wgsl) adds the parts.
//           Every sum has a fixed order: the same bits each time.
// Dispatch  (K, PARTS, 1) workgroups of 64.
// FLOPs     one add an element.
// Bytes     4 * gy, once: contiguous runs, so it should run at the device's reading speed.
// Consts    K, PLANE (elements of one channel of one image), COUNT (= N * PLANE), PARTS, PART (elements of a part, a
//           multiple of 256), GY_OFFSET, GY_BATCH,
//           PART_SUMS_OFFSET. With one part, part_sums is gb itself.

@group(0) @binding(0) var<storage, read> gy: array<f32>;
@group(0) @binding(1) var<storage, read_write> part_sums: array<f32>; // [K, PARTS]

var<workgroup> sums: array<f32, 64>;

// Zero past the last, by `select`: a branch would keep an adapter on the CPU from walking lanes together.
fn load(k: u32, i: u32) -> f32 {
  let at = min(i, COUNT - 1);
  return select(0.0, gy[GY_OFFSET + at / PLANE * GY_BATCH + k * PLANE + at % PLANE], i < COUNT);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4<f32>();
  let start = group.y * PART + lane;
  for (var i = 0u; i < PART; i += 256) {
    let at = start + i;
    sum += vec4(load(group.x, at), load(group.x, at + 64), load(group.x, at + 128), load(group.x, at + 192));
  }
  sums[lane] = (sum.x + sum.y) + (sum.z + sum.w);
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0) {
    part_sums[PART_SUMS_OFFSET + group.x * PARTS + group.y] = sums[0];
  }
}
