// Piece of gemm.wgsl and gemm_wide.wgsl: where a sum of the product goes.
//
// Pixel (y, x) of the computed grid and row m = (channel, r, s) are element (y * STEP_Y + OUT_Y0 + r, x * STEP_X + OUT_X0 + s)
// of a plane of the result. A forward pass has steps of 1 and no r, s; a residue class of a strided input gradient
// has its stride as step and its class as Y0, X0; a filter as large as its stride has its taps as r, s.
//
// Consts    OUT_C OUT_H OUT_W, OUT_OFFSET, OUT_BATCH; STEP_Y STEP_X, OUT_Y0 OUT_X0; SPREAD_H SPREAD_W: numbers of r and s;
//           PART_STRIDE: elements between the parts of a split sum; OUT_TYPE: f32 or f16; those of the epilogue.

@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

const SPREAD = SPREAD_H * SPREAD_W;
const M = OUT_C * SPREAD;

struct Target {
  valid: bool,
  // First element of its image, in storage and if images followed each other without a gap.
  image: u32,
  index: u32,
  place: u32,
}

fn target_of(part: u32, p: u32) -> Target {
  let y = p / GRID_W % GRID_H * STEP_Y + OUT_Y0;
  let x = p % GRID_W * STEP_X + OUT_X0;
  let n = p / (GRID_W * GRID_H);
  return Target(
    p < PIXELS,
    OUT_OFFSET + part * PART_STRIDE + n * OUT_BATCH,
    n * (OUT_C * OUT_H * OUT_W),
    y * OUT_W + x,
  );
}

fn store(t: Target, m: u32, sum: f32) {
  if (t.valid & (m < M)) {
    let channel = m / SPREAD;
    let place = t.place + (channel * OUT_H + m % SPREAD / SPREAD_W) * OUT_W + m % SPREAD_W;
    output[t.image + place] = OUT_TYPE(epilogue(sum, channel, t.index + place));
  }
}

// Rows m to m + 3.
fn store4(t: Target, m: u32, sums: vec4<f32>) {
  store(t, m, sums[0]);
  store(t, m + 1, sums[1]);
  store(t, m + 2, sums[2]);
  store(t, m + 3, sums[3]);
}
