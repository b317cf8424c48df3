// Launch cost: a kernel that does next to nothing.
//
// What: adds 1 to one number, in one invocation.
// Mapping: one workgroup of one invocation.
// Why: thousands of these in one pass measure what a dispatch costs besides its work. All write the same buffer, as the
// kernels of a training step do, so each must wait for the one before; the number at the end tells that all have run.

@group(0) @binding(0) var<storage, read_write> count: array<u32>;

@compute @workgroup_size(1)
fn main() {
  count[0] += 1u;
}
