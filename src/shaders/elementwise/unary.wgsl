// y = op(x), element by element, for any shape and strides.
//
// Mapping   one invocation makes RUN neighbouring Vs of y. A V is four elements where x and y both lie in aligned
//           runs of four, else one. RUN is 1 on a GPU, so that neighbouring invocations touch neighbouring memory,
//           and a cache line on an adapter that runs on the CPU (twice as fast there). What op does is in
//           unary_ops.wgsl, index arithmetic in common/strided.wgsl.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 an element: a read and a write. Nothing is reused, so the copy ceiling is the limit of speed, and the
//           only craft is in 16-byte accesses by neighbouring invocations.
//
// Consts: COUNT: Vs in y; RUN; SHAPE: axes in Vs; X_OFFSET, X_STRIDES, Y_OFFSET, Y_STRIDES in Vs; OP, A, B; X_TYPE,
//         Y_TYPE: what a V of x and of y is stored as, f32 or f16. The arithmetic is f32.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<Y_TYPE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    y[place(c, Y_OFFSET, Y_STRIDES)] = Y_TYPE(unary_op(V(x[place(c, X_OFFSET, X_STRIDES)])));
  }
}
