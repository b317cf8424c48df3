// The sizes of a layer, read at run time: for a kernel that is long to compile, so that one pipeline serves all layers.

@group(0) @binding(3) var<uniform> sizes: array<vec4<u32>, 12>;

fn size(i: u32) -> u32 {
  return sizes[i / 4][i % 4];
}
