// Gradient of the Dice loss by p: with N = 2 sum(p t) + smooth and D = sum p + sum t + smooth, so that the loss is 1
// - N / D, it is -(2 t D - N) / D^2, times g = d(total)/d(loss). For the gradient by t, p and t change places.
//
// Mapping   one invocation makes RUN neighbouring Vs (1 on a GPU, a cache line on a CPU). A V is four elements where
//           t and the result both lie in aligned runs of four, else one. Each invocation reads the three sums and g
//           itself: they come from cache.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 an element: the copy ceiling is the limit.
//
// Consts: COUNT: Vs in t; RUN; SHAPE; T_OFFSET, T_STRIDES, GP_OFFSET, GP_STRIDES in Vs; SUMS_OFFSET, SUMS_STEP;
//         G_OFFSET; SMOOTH: f32.

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<V>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> gp: array<V>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let both = sums[SUMS_OFFSET];
  let of_p = sums[SUMS_OFFSET + SUMS_STEP];
  let of_t = sums[SUMS_OFFSET + 2u * SUMS_STEP];
  let ratio = (2.0 * both + SMOOTH) / (of_p + of_t + SMOOTH);
  let factor = g[G_OFFSET] / (of_p + of_t + SMOOTH);
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let c = coordinates(i, SHAPE);
    // (N - 2 t D) / D^2 = (N / D - 2 t) / D, which does not square a large D.
    gp[place(c, GP_OFFSET, GP_STRIDES)] = (ratio - 2.0 * t[place(c, T_OFFSET, T_STRIDES)]) * factor;
  }
}
