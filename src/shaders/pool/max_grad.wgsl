// Gradient of max pooling by its input, for any kernel, stride, padding and dilation: gx[i] is the sum of gy over the
// windows whose maximum is i, plus, where ADD, another gradient.
//
// Mapping   one invocation makes one element of gx. It visits the windows that cover its place and, in each, finds
//           the winner again: the first of equal maxima in row-major order, or the last NaN, as PyTorch has it. A
//           gather, so that no two invocations add to one place: no atomics, and a fixed order.
// Dispatch  ceil(COUNT / WORKGROUP) workgroups, folded over x and y.
// Bytes     8 an input element and 4 an output element at least. Windows that overlap are scanned again by each
//           element they cover; for windows of 2x2 side by side, the usual case, see max2x2_grad.wgsl.
//
// Consts: C, H, W: input; OH, OW: output; COUNT: input elements; KH, KW, STRIDE_Y, STRIDE_X, PAD_Y, PAD_X,
//         DILATION_Y, DILATION_X; ADD: bool; SLOPE: as max2x2_grad.wgsl; GY_OFFSET, GY_BATCH, X_OFFSET, X_BATCH,
//         GX_OFFSET, GX_BATCH, ADD_OFFSET, ADD_BATCH in elements; GY_TYPE, X_TYPE, GX_TYPE, ADD_TYPE: what an
//         element is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX_TYPE>;
// Bound to x where there is nothing to add.
@group(0) @binding(3) var<storage, read> addend: array<ADD_TYPE>;

// Place in the plane of the winner of window (row, column) of the output.
fn winner(plane: u32, row: u32, column: u32) -> u32 {
  var best = minus_infinity();
  var at = 0xffffffffu;
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
      let place = (iy - PAD_Y) * W + (ix - PAD_X);
      let value = f32(x[plane + place]);
      // The first place stands even if all are minus infinity.
      if (value > best || is_nan(value) || at == 0xffffffffu) {
        best = value;
        at = place;
      }
    }
  }
  return at;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  let column = i % W;
  let row = (i / W) % H;
  let channel = (i / (W * H)) % C;
  let n = i / (W * H * C);
  let here = row * W + column;
  let x_plane = X_OFFSET + n * X_BATCH + channel * (H * W);
  let gy_plane = GY_OFFSET + n * GY_BATCH + channel * (OH * OW);

  var sum = 0.0;
  for (var ky = 0u; ky < KH; ky++) {
    // The window that has this place at its ky-th row starts at oy * STRIDE_Y = row + PAD_Y - ky * DILATION_Y.
    let top = row + PAD_Y;
    if (top < ky * DILATION_Y || (top - ky * DILATION_Y) % STRIDE_Y != 0u) {
      continue;
    }
    let oy = (top - ky * DILATION_Y) / STRIDE_Y;
    if (oy >= OH) {
      continue;
    }
    for (var kx = 0u; kx < KW; kx++) {
      let left = column + PAD_X;
      if (left < kx * DILATION_X || (left - kx * DILATION_X) % STRIDE_X != 0u) {
        continue;
      }
      let ox = (left - kx * DILATION_X) / STRIDE_X;
      if (ox >= OW) {
        continue;
      }
      if (winner(x_plane, oy, ox) == here) {
        sum += f32(gy[gy_plane + oy * OW + ox]);
      }
    }
  }
  if (ADD) {
    sum += f32(addend[ADD_OFFSET + n * ADD_BATCH + channel * (H * W) + here]);
  }
  if (SLOPE != 0.0) {
    sum = select(0.0, SLOPE * sum, f32(x[x_plane + here]) > 0.0);
  }
  gx[GX_OFFSET + n * GX_BATCH + channel * (H * W) + here] = GX_TYPE(sum);
}
