// Sum of the binary cross-entropy over all elements: of probabilities p against targets t, or, where LOGITS, of
// sigmoid(p). What one element costs is in bce.wgsl.
//
// Mapping   GROUP neighbouring invocations share a chunk: each walks it in steps of GROUP times RUN Vs, so that
//           together they read a run of memory at a time; then their sums are added as a tree. On a GPU that is a
//           workgroup with a RUN of 1; on a CPU, where barriers are dear, one invocation with a RUN of the whole
//           chunk. One result a chunk, which a reduction adds up after.
// Dispatch  ceil(CHUNKS * GROUP / WORKGROUP) workgroups, folded over x and y.
// Order     fixed by the consts alone: the same bits each time.
// Bytes     8 an element: the per-element costs are never stored.
//
// Consts: LENGTH: Vs in p; CHUNK; CHUNKS; GROUP; RUN; P_OFFSET, T_OFFSET in Vs; SUMS_OFFSET; LOGITS: bool; SCALE:
//         f32, factor of a result.

@group(0) @binding(0) var<storage, read> p: array<V>;
@group(0) @binding(1) var<storage, read> t: array<V>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> shared_sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = id.x + id.y * GRID_WIDTH;
  let member = i % GROUP;
  let chunk = i / GROUP;
  let end = min((chunk + 1u) * CHUNK, LENGTH);
  var sum = V(0.0);
  for (var first = chunk * CHUNK + member * RUN; first < end; first += GROUP * RUN) {
    for (var at = first; at < min(first + RUN, end); at++) {
      if (LOGITS) {
        sum += bce_logits(p[P_OFFSET + at], t[T_OFFSET + at]);
      } else {
        sum += bce(p[P_OFFSET + at], t[T_OFFSET + at]);
      }
    }
  }
  shared_sums[local] = lanes_sum(sum);
  for (var half = GROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (member < half) {
      shared_sums[local] += shared_sums[local + half];
    }
  }
  if (member == 0u && chunk < CHUNKS) {
    sums[SUMS_OFFSET + chunk] = shared_sums[local] * SCALE;
  }
}
