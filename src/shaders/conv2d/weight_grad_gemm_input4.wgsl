// Piece of weight_grad_gemm.wgsl and weight_grad_gemm_wide.wgsl, as weight_grad_gemm_input.wgsl, where rows of gy are whole
// vectors: OW, GY_OFFSET and GY_BATCH are multiples of 4.
//
// Lane l has four pixels in a row, from 4 * l on: gy comes as one vector, and the pixel is divided into image, row and column once
// for four. x, which taps shift by one element, still comes one by one.
// Consts    as weight_grad_gemm_input.wgsl, but GY_TYPE is a vec4.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;

const PLANE = OH * OW;
const PIXELS = N * PLANE;
const COLUMNS = C * KH * KW;

struct Pixels {
  inside: bool,
  // Vector in channel 0 of gy, first element of the image in x, and where the filter's first tap falls.
  gy: u32,
  image: u32,
  y: u32,
  x: u32,
}

fn pixels_of(first: u32, lane: u32) -> Pixels {
  let p = first + lane * 4;
  let n = p / PLANE;
  let place = p % PLANE;
  return Pixels(
    p < PIXELS,
    (GY_OFFSET + n * GY_BATCH + place) / 4,
    X_OFFSET + n * X_BATCH,
    place / OW * SH,
    place % OW * SW,
  );
}

// Channel m of gy.
fn row_of(pixels: Pixels, m: u32) -> vec4<f32> {
  let inside = pixels.inside & (m < K);
  return select(vec4<f32>(), vec4<f32>(gy[select(0, pixels.gy + m * (PLANE / 4), inside)]), inside);
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
  let inside = pixels.inside & (y < H) & (q < COLUMNS);
  let at = pixels.image + q / (KH * KW) * (H * W) + y * W + column;
  return vec4(
    x_at(at, inside & (column < W)),
    x_at(at + SW, inside & (column + SW < W)),
    x_at(at + 2 * SW, inside & (column + 2 * SW < W)),
    x_at(at + 3 * SW, inside & (column + 3 * SW < W)),
  );
}
