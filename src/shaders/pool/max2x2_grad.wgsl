// Gradient of max pooling by its input, for windows of 2x2 side by side with no padding, where H is even and W and
// all strides are multiples of four: gy goes to the place of each window's maximum, the other three places get 0;
// plus, where ADD, another gradient (of a skip connection that reads the same x), which saves writing and reading
// this one.
//
// Mapping   one invocation takes RUN neighbouring pairs of windows (1 on a GPU, a cache line on a CPU): for each it
//           reads a vec4 of each of two rows of x, finds the winners again (the first of equal ones in row-major
//           order, or the last NaN, as PyTorch has it), and writes both rows of gx. Each element of gx has one
//           writer: no atomics, no zeroing pass, and no stored indices.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y.
// Bytes     9 an input element (x, gx, a quarter of gy), 13 with ADD, each touched once: the copy ceiling is the
//           limit.
//
// Consts: C, H: input; W4: its columns in vec4s; COUNT: pairs of windows; RUN; ADD: bool; SLOPE: where x is the result
//         of a ReLU whose gradient is done as well, the factor of that, else 0; X_OFFSET, X_BATCH, GX_OFFSET, GX_BATCH,
//         ADD_OFFSET, ADD_BATCH in vec4s; GY_OFFSET, GY_BATCH in vec2s; X_TYPE, GX_TYPE, ADD_TYPE, GY_TYPE: how these
//         are stored, vec4 and vec2 of f32 or f16.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX_TYPE>;
// Bound to x where there is nothing to add.
@group(0) @binding(3) var<storage, read> addend: array<ADD_TYPE>;

fn are_nan(v: vec2<f32>) -> vec2<bool> {
  return (bitcast<vec2<u32>>(v) & vec2(0x7fffffffu)) > vec2(0x7f800000u);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let pair = i % W4;
    let row = (i / W4) % (H / 2u);
    let channel = (i / (W4 * (H / 2u))) % C;
    let n = i / (W4 * (H / 2u) * C);
    let top = (channel * H + 2u * row) * W4 + pair;
    let upper = vec4<f32>(x[X_OFFSET + n * X_BATCH + top]);
    let lower = vec4<f32>(x[X_OFFSET + n * X_BATCH + top + W4]);
    let g = vec2<f32>(gy[GY_OFFSET + n * GY_BATCH + (channel * (H / 2u) + row) * W4 + pair]);

    // The scan of two windows at once: each place takes the lead from those before it if it is larger or NaN.
    let first = upper.xz;
    let second = upper.yw;
    let third = lower.xz;
    let fourth = lower.yw;
    let second_leads = (second > first) | are_nan(second);
    var best = select(first, second, second_leads);
    let third_leads = (third > best) | are_nan(third);
    best = select(best, third, third_leads);
    let fourth_leads = (fourth > best) | are_nan(fourth);

    let zero = vec2(0.0);
    let to_fourth = select(zero, g, fourth_leads);
    let to_third = select(zero, g, third_leads & !fourth_leads);
    let in_upper = !third_leads & !fourth_leads;
    let to_second = select(zero, g, second_leads & in_upper);
    let to_first = select(zero, g, !second_leads & in_upper);

    var gx_upper = vec4(to_first.x, to_second.x, to_first.y, to_second.y);
    var gx_lower = vec4(to_third.x, to_fourth.x, to_third.y, to_fourth.y);
    if (ADD) {
      let other = ADD_OFFSET + n * ADD_BATCH + top;
      gx_upper += vec4<f32>(addend[other]);
      gx_lower += vec4<f32>(addend[other + W4]);
    }
    if (SLOPE != 0.0) {
      gx_upper = select(vec4(0.0), SLOPE * gx_upper, upper > vec4(0.0));
      gx_lower = select(vec4(0.0), SLOPE * gx_lower, lower > vec4(0.0));
    }
    let to = GX_OFFSET + n * GX_BATCH + top;
    gx[to] = GX_TYPE(gx_upper);
    gx[to + W4] = GX_TYPE(gx_lower);
  }
}
