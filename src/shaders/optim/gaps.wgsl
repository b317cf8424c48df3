// Zeros the gaps between gradients in their flat buffer, where something else lay before: overflow.wgsl is not to take
// it for a gradient.
//
// Mapping   a workgroup a gap, an invocation a word: gaps are shorter than 128 words (`PARAMETER_ALIGN`).
// Dispatch  one workgroup of 128 for each gap.
// Bytes     4 a word of the gaps.
//
// Consts: FROM, TO: first word of each gap, and the first behind it.

@group(0) @binding(0) var<storage, read_write> grads: array<f32>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  var starts = FROM;
  var ends = TO;
  let at = starts[group.x] + local;
  if (at < ends[group.x]) {
    grads[at] = 0.0;
  }
}
