// The three sums of the Dice loss in one pass over p and t: sum(p t), sum(p), sum(t).
//
// Mapping   GROUP neighbouring invocations share a chunk: each walks it in steps of GROUP times RUN Vs, so that
//           together they read a run of memory at a time; then their sums are added as a tree. On a GPU that is a
//           workgroup with a RUN of 1; on a CPU, where barriers are dear, one invocation with a RUN of the whole
//           chunk. Three results a chunk, which a reduction adds up after.
// Dispatch  ceil(CHUNKS * GROUP / WORKGROUP) workgroups, folded over x and y.
// Order     fixed by the consts alone: the same bits each time.
// Bytes     8 an element, in place of 16 for the sums one by one.
//
// Consts: LENGTH: Vs in p; CHUNK; CHUNKS; GROUP; RUN; P_OFFSET, T_OFFSET in Vs; SUMS_OFFSET; SUMS_STEP: from one sum
//         to the next.

@group(0) @binding(0) var<storage, read> p: array<V>;
@group(0) @binding(1) var<storage, read> t: array<V>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> shared_sums: array<vec3<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = id.x + id.y * GRID_WIDTH;
  let member = i % GROUP;
  let chunk = i / GROUP;
  let end = min((chunk + 1u) * CHUNK, LENGTH);
  var both = V(0.0);
  var of_p = V(0.0);
  var of_t = V(0.0);
  for (var first = chunk * CHUNK + member * RUN; first < end; first += GROUP * RUN) {
    for (var at = first; at < min(first + RUN, end); at++) {
      let pi = p[P_OFFSET + at];
      let ti = t[T_OFFSET + at];
      both += pi * ti;
      of_p += pi;
      of_t += ti;
    }
  }
  shared_sums[local] = vec3(lanes_sum(both), lanes_sum(of_p), lanes_sum(of_t));
  for (var half = GROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (member < half) {
      shared_sums[local] += shared_sums[local + half];
    }
  }
  if (member == 0u && chunk < CHUNKS) {
    let total = shared_sums[local];
    let to = SUMS_OFFSET + chunk;
    sums[to] = total.x;
    sums[to + SUMS_STEP] = total.y;
    sums[to + 2u * SUMS_STEP] = total.z;
  }
}
