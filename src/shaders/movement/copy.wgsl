// y = x for any shape and strides of both, word by word (f32 or u32: no bit is changed).
//
// Mapping   one invocation moves RUN neighbouring VUs, in the order of y's elements. A VU is four words where x and y
//           both lie in aligned runs of four, else one. RUN is 1 on a GPU, so that neighbouring invocations touch
//           neighbouring memory, and a cache line on an adapter that runs on the CPU (twice as fast there). Index
//           arithmetic is in common/strided.wgsl.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 a word: this kernel, on contiguous operands, is the copy ceiling itself.
//
// Consts: COUNT: VUs in y; RUN; SHAPE: axes in VUs; X_OFFSET, X_STRIDES, Y_OFFSET, Y_STRIDES in VUs.

@group(0) @binding(0) var<storage, read> x: array<VU>;
@group(0) @binding(1) var<storage, read_write> y: array<VU>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    y[place(c, Y_OFFSET, Y_STRIDES)] = x[place(c, X_OFFSET, X_STRIDES)];
  }
}
