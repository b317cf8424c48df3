// y = x for any shape and strides of both, bit for bit (f32, u32 or f16).
//
// Mapping   one invocation moves RUN neighbouring Ts, in the order of y's elements. A T is four elements where x
//           and y both lie in aligned runs of four, else one. RUN is 1 on a GPU, so that neighbouring invocations touch
//           neighbouring memory, and a cache line on an adapter that runs on the CPU (twice as fast there). Index
//           arithmetic is in common/strided.wgsl.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 an element (4 in f16): this kernel, on contiguous operands, is the copy ceiling itself.
//
// Consts: COUNT: Ts in y; RUN; SHAPE: axes in Ts; X_OFFSET, X_STRIDES, Y_OFFSET, Y_STRIDES in Ts; X_TYPE, Y_TYPE: T,
//         which is u32, f16 or a vec4 of it.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<Y_TYPE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    y[place(c, Y_OFFSET, Y_STRIDES)] = x[place(c, X_OFFSET, X_STRIDES)];
  }
}
