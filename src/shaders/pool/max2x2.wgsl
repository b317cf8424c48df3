// Max pooling of [N, C, H, W] with windows of 2x2 side by side and no padding, where W and all strides are multiples
// of four.
//
// Mapping   one invocation makes RUN neighbouring pairs of outputs (1 on a GPU, a cache line on a CPU), each from one
//           vec4 of each of two rows, so that each load and store of neighbouring invocations is one run of memory.
//           NaN wins over all.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     4 (in f16 2) an input element and an output element, each touched once: the copy ceiling is the limit.
//
// Consts: C, H: input; W4: input columns in vec4s; OH: output rows; COUNT: pairs of outputs; RUN; X_OFFSET, X_BATCH
//         in vec4s; Y_OFFSET, Y_BATCH in vec2s; X_TYPE, Y_TYPE: how these are stored, vec4 and vec2 of f32 or f16.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<Y_TYPE>;

fn larger(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let a_is_nan = (bitcast<vec4<u32>>(a) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
  return select(b, a, (a > b) | a_is_nan);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let pair = i % W4;
    let row = (i / W4) % OH;
    let channel = (i / (W4 * OH)) % C;
    let n = i / (W4 * OH * C);
    let at = X_OFFSET + n * X_BATCH + (channel * H + 2u * row) * W4 + pair;
    let m = larger(vec4<f32>(x[at]), vec4<f32>(x[at + W4]));
    let both = larger(m, m.yxwz);
    y[Y_OFFSET + n * Y_BATCH + (channel * OH + row) * W4 + pair] = Y_TYPE(both.xz);
  }
}
