// Writes the sizes of a layer where a kernel that serves all layers with one pipeline reads them.
//
// Dispatch  one workgroup of 32.
// Const     SIZES: 32 words.

@group(0) @binding(0) var<storage, read_write> sizes: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
  var words = SIZES;
  sizes[i] = words[i];
}
