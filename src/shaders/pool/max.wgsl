// Max pooling of [N, C, H, W] with any kernel, stride, padding and dilation.
//
// Mapping   one invocation makes one output element: it scans its window's places inside the input, row by row.
//           Padding never wins, as if it were minus infinity; NaN wins over all.
// Dispatch  ceil(COUNT / WORKGROUP) workgroups, folded over x and y.
// Bytes     4 an input element and 4 an output element at least; overlapping windows read again, mostly from cache.
//           For windows of 2x2 side by side see max2x2.wgsl.
//
// Consts: C, H, W: input; OH, OW: output; COUNT: output elements; KH, KW, STRIDE_Y, STRIDE_X, PAD_Y, PAD_X,
//         DILATION_Y, DILATION_X; X_OFFSET, X_BATCH, Y_OFFSET, Y_BATCH in elements; X_TYPE, Y_TYPE: what an
//         element is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<Y_TYPE>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  let column = i % OW;
  let row = (i / OW) % OH;
  let channel = (i / (OW * OH)) % C;
  let n = i / (OW * OH * C);
  let plane = X_OFFSET + n * X_BATCH + channel * (H * W);

  var best = minus_infinity();
  for (var ky = 0u; ky < KH; ky++) {
    let iy = row * STRIDE_Y + ky * DILATION_Y;
    if (iy < PAD_Y || iy >= H + PAD_Y) {
      continue;
    }
    for (var kx = 0u; kx < KW; kx++) {
      let ix = column * STRIDE_X + kx * DILATION_X;
      if (ix < PAD_X || ix >= W + PAD_X) {
        continue;
      }
      let value = f32(x[plane + (iy - PAD_Y) * W + (ix - PAD_X)]);
      if (value > best || is_nan(value)) {
        best = value;
      }
    }
  }
  y[Y_OFFSET + n * Y_BATCH + channel * (OH * OW) + row * OW + column] = Y_TYPE(best);
}
