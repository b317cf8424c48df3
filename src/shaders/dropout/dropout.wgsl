// y = keep ? x / (1 - p) : 0, each element kept with probability 1 - p; and, of d(loss)/dy, d(loss)/dx.
//
// Mapping   one invocation makes RUN neighbouring Vs of y (1 on a GPU, a cache line on a CPU). A V is four elements
//           where x and y both lie in aligned runs of four, else one. Which elements are kept is a function of seed,
//           step, stream and the element's row-major number (common/random.wgsl), so the mask is never stored: the
//           backward pass makes it again.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 an element, 4 in f16. The hash costs some 15 integer operations an element, which a GPU hides behind the memory.
//
// Consts: COUNT: Vs in y; RUN; SHAPE: axes in Vs; X_OFFSET, X_STRIDES, Y_OFFSET, Y_STRIDES in Vs; SEED, STEP: places
//         of the run-time scalars; STREAM: which dropout of the model; DROPOUT_THRESHOLD: p * 2^32; DROPOUT_SCALE:
//         f32, 1 / (1 - p); X_TYPE, Y_TYPE: what a V of x and of y is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<Y_TYPE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let key = random_key(scalar_u32(SEED), scalar_u32(STEP), STREAM);
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    let keep = kept(key, i * LANES);
    let scaled = V(x[place(c, X_OFFSET, X_STRIDES)]) * DROPOUT_SCALE;
    y[place(c, Y_OFFSET, Y_STRIDES)] = Y_TYPE(select(V(0.0), scaled, keep));
  }
}
