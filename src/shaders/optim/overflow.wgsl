// Looks for infinity and NaN in a flat buffer of gradients; scaler.wgsl decides what follows. By their bits: WGSL lets a
// compiler assume that floats are finite.
//
// Mapping   one invocation looks at every INVOCATIONS-th V, so that neighbours read neighbouring memory, and writes one
//           word: no atomics, and no word to clear first.
// Dispatch  INVOCATIONS / WORKGROUP workgroups.
// Bytes     4 a gradient: the memory's read rate is the limit.
//
// Consts: COUNT: Vs; GRADS_OFFSET in Vs; INVOCATIONS; FLAGS_OFFSET: first word of these gradients' flags.

@group(0) @binding(0) var<storage, read> grads: array<V>;
@group(0) @binding(1) var<storage, read_write> flags: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var found = VB(false);
  for (var i = id.x; i < COUNT; i += INVOCATIONS) {
    let exponent = bitcast<VU>(grads[GRADS_OFFSET + i]) & VU(0x7f800000u);
    found = found | (exponent == VU(0x7f800000u));
  }
  flags[FLAGS_OFFSET + id.x] = select(0u, 1u, any(found));
}
