// Piece of weight_grad_gemm.wgsl and weight_grad_gemm_wide.wgsl: the two factors gy[m, p] and x[q, p], four pixels to a vector.
//
// In a tile of 4 * LANES pixels, lane l has pixels l, l + LANES, l + 2 * LANES, l + 3 * LANES: any order will do as long as both
// factors have the same, and in this one neighbouring lanes read neighbouring elements.
// Consts    N C H W, K OH OW, KH KW, SH SW, PH PW, DH DW; X_OFFSET, X_BATCH, GY_OFFSET, GY_BATCH; X_TYPE and
//           GY_TYPE: f32 or f16; LANES.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;

const PLANE = OH * OW;
const PIXELS = N * PLANE;
const COLUMNS = C * KH * KW;

struct Pixels {
  inside: vec4<bool>,
  // Places in channel 0 of gy, first elements of their images in x, and where the filter's first tap falls.
  gy: vec4<u32>,
  image: vec4<u32>,
  y: vec4<u32>,
  x: vec4<u32>,
}

fn pixels_of(first: u32, lane: u32) -> Pixels {
  let p = first + lane + vec4<u32>(0, 1, 2, 3) * LANES;
  let n = p / PLANE;
  let place = p % PLANE;
  return Pixels(
    p < vec4(PIXELS),
    GY_OFFSET + n * GY_BATCH + place,
    X_OFFSET + n * X_BATCH,
    place / OW * SH,
    place % OW * SW,
  );
}

fn gy_at(address: u32, inside: bool) -> f32 {
  return select(0.0, f32(gy[select(GY_OFFSET, address, inside)]), inside);
}

// Channel m of gy.
fn row_of(pixels: Pixels, m: u32) -> vec4<f32> {
  let inside = pixels.inside & vec4(m < K);
  let at = pixels.gy + m * PLANE;
  return vec4(
    gy_at(at[0], inside[0]), gy_at(at[1], inside[1]), gy_at(at[2], inside[2]), gy_at(at[3], inside[3]));
}

fn x_at(address: u32, inside: bool) -> f32 {
  return select(0.0, f32(x[select(X_OFFSET, address, inside)]), inside);
}

// What the weights q = (channel, tap) are multiplied with.
fn column_of(pixels: Pixels, q: u32) -> vec4<f32> {
  let tap = q % (KH * KW);
  // Unsigned: above or left of the image wraps round to far behind it.
  let y = pixels.y + (tap / KW * DH - PH);
  let column = pixels.x + (tap % KW * DW - PW);
  let inside = pixels.inside & (y < vec4(H)) & (column < vec4(W)) & vec4(q < COLUMNS);
  let at = pixels.image + q / (KH * KW) * (H * W) + y * W + column;
  return vec4(x_at(at[0], inside[0]), x_at(at[1], inside[1]), x_at(at[2], inside[2]), x_at(at[3], inside[3]));
}
