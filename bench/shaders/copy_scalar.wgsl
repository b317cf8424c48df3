// Copy bandwidth, one f32 an invocation.
//
// What: out[i] = in[i].
// Mapping: one invocation an element; the grid spreads over x and y, GRID_WIDTH invocations a row.
// Bytes: 4 read and 4 written an element; no FLOPs.
// Why: the form a plain elementwise kernel has. Beside copy_vec4 it tells what wide loads gain.
//
// Constants: WORKGROUP, GRID_WIDTH, COUNT (elements).

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i < COUNT) {
    target_[i] = source[i];
  }
}
