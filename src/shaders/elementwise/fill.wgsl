// y = one value everywhere, for any shape and strides. Words, not floats, so that the value may be infinite or NaN.
//
// Mapping   one invocation writes RUN neighbouring VUs (see unary.wgsl). A VU is four elements where y lies in
//           aligned runs of four, else one.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     4 an element.
//
// Consts: COUNT: VUs in y; RUN; SHAPE: axes in VUs; Y_OFFSET, Y_STRIDES in VUs; WORD: the value's bits.

@group(0) @binding(0) var<storage, read_write> y: array<VU>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    y[place(coordinates(i, SHAPE), Y_OFFSET, Y_STRIDES)] = VU(WORD);
  }
}
