// Copy bandwidth, EACH vec4 an invocation.
//
// What: out[i] = in[i], in vec4.
// Mapping: a workgroup copies one run of WORKGROUP * EACH vec4; its invocations take every WORKGROUP-th, so that the
// loads of neighbours lie side by side in memory. The grid spreads over x and y, GRID_WIDTH invocations a row.
// Bytes: 16 read and 16 written a vec4; no FLOPs.
// Why: 16-byte loads, and with EACH > 1 several of them in flight from each invocation: what it takes to fill a GPU's
// memory pipes. On a CPU it saves invocations.
//
// Constants: WORKGROUP, GRID_WIDTH, COUNT (vec4), EACH.

@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let first = (id.x - local.x + id.y * GRID_WIDTH) * EACH + local.x;
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * WORKGROUP;
    if (i < COUNT) {
      target_[i] = source[i];
    }
  }
}
