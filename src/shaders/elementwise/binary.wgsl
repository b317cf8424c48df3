// y = op(a, b), element by element, with broadcasting, for any shape and strides.
//
// Mapping   one invocation makes RUN neighbouring Vs of y (see unary.wgsl). A V is four elements where y lies in
//           aligned runs of four and a and b each do so too or hold one value along the last axis (a bias, a scalar),
//           else one. An operand that repeats has stride 0. What op does is in binary_ops.wgsl or slopes.wgsl, index
//           arithmetic in common/strided.wgsl.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     12 an element with two full operands, 8 with one; half of that in f16. Nothing is reused, so the copy ceiling is the limit.
//
// Consts: COUNT: Vs in y; RUN; SHAPE: axes in Vs; offsets and strides of a, b and y, in Vs (in elements for an
//         operand that holds one value along the last axis); A_TYPE, B_TYPE, Y_TYPE: what is read and written at a
//         time, f32 or f16 or vec4 of these; A_VALUE, B_VALUE: the same in f32, in which the arithmetic is done; OP.

@group(0) @binding(0) var<storage, read> a: array<A_TYPE>;
@group(0) @binding(1) var<storage, read> b: array<B_TYPE>;
@group(0) @binding(2) var<storage, read_write> y: array<Y_TYPE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    let from_a = V(A_VALUE(a[place(c, A_OFFSET, A_STRIDES)]));
    let from_b = V(B_VALUE(b[place(c, B_OFFSET, B_STRIDES)]));
    y[place(c, Y_OFFSET, Y_STRIDES)] = Y_TYPE(binary_op(from_a, from_b));
  }
}
