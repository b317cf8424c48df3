// y = condition ? a : b, element by element, with broadcasting, for any shape and strides. A condition holds where it
// is not 0 (NaN holds too).
//
// Mapping   one invocation makes RUN neighbouring Vs of y (see unary.wgsl). A V is four elements where all operands
//           lie in aligned runs of four, else one.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     16 an element; the copy ceiling is the limit of speed.
//
// Consts: COUNT: Vs in y; RUN; SHAPE: axes in Vs; offsets and strides of condition (C), a, b and y, in Vs.

@group(0) @binding(0) var<storage, read> condition: array<V>;
@group(0) @binding(1) var<storage, read> a: array<V>;
@group(0) @binding(2) var<storage, read> b: array<V>;
@group(0) @binding(3) var<storage, read_write> y: array<V>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    let no = condition[place(c, C_OFFSET, C_STRIDES)] == V(0.0);
    y[place(c, Y_OFFSET, Y_STRIDES)] =
      select(a[place(c, A_OFFSET, A_STRIDES)], b[place(c, B_OFFSET, B_STRIDES)], no);
  }
}
