// Piece of gemm.wgsl and gemm_wide.wgsl: the matrix in[r, p] that no one writes out. r is (channel, tap), p a pixel of the
// result; the value is that of the image where the tap of the filter falls, or 0 outside.
//
// Order     With ONE_TAP a tile of TILE_K rows is TILE_K channels of one tap, so that a tile asks once where the tap falls and
//           then walks from channel to channel; taps follow each other within a chunk of channels, so that an image's
//           lines are still in the cache when the next tap reads them. Without it (channels that are few, or do not fill
//           tiles) rows are (channel, tap) as they come, and each asks for itself.
// Consts    N; IN_C IN_H IN_W, IN_OFFSET, IN_BATCH; TAPS, KW; SH SW; DH DW; IN_Y0 IN_X0: where the first tap of the first
//           pixel falls (minus the padding, modulo 2^32); GRID_H GRID_W: pixels of the result that are computed;
//           TILE_K, ONE_TAP; IN_TYPE: what an element is stored as, f32 or f16.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;

const IN_PLANE = IN_H * IN_W;
const PIXELS = N * GRID_H * GRID_W;

struct Pixel {
  // First element of its image.
  image: u32,
  // Where the filter's first tap falls. Unsigned: above or left of the image wraps round to far behind it.
  y: u32,
  x: u32,
}

fn pixel_of(p: u32) -> Pixel {
  let y = p / GRID_W % GRID_H * SH + IN_Y0;
  let x = p % GRID_W * SW + IN_X0;
  // Past the last pixel every tap must fall outside.
  return Pixel(IN_OFFSET + p / (GRID_W * GRID_H) * IN_BATCH, select(0x40000000, y, p < PIXELS), x);
}

fn value(address: u32, inside: bool) -> f32 {
  return select(0.0, f32(input[select(IN_OFFSET, address, inside)]), inside);
}

fn value_of_row(r: u32, pixel: Pixel) -> f32 {
  let tap = r % TAPS;
  let y = pixel.y + tap / KW * DH;
  let x = pixel.x + tap % KW * DW;
  let inside = (y < IN_H) & (x < IN_W) & (r < IN_C * TAPS);
  return value(pixel.image + r / TAPS * IN_PLANE + y * IN_W + x, inside);
}

// Four rows from `k` on of a tile, at one pixel.
fn four_rows(tile: u32, k: u32, pixel: Pixel) -> vec4<f32> {
  if (!ONE_TAP) {
    let r = tile * TILE_K + k;
    return vec4(
      value_of_row(r, pixel), value_of_row(r + 1, pixel), value_of_row(r + 2, pixel), value_of_row(r + 3, pixel));
  }
  let tap = tile % TAPS;
  let c = tile / TAPS * TILE_K + k;
  let y = pixel.y + tap / KW * DH;
  let x = pixel.x + tap % KW * DW;
  let inside = (y < IN_H) & (x < IN_W);
  let at = pixel.image + c * IN_PLANE + y * IN_W + x;
  return vec4(
    value(at, inside & (c < IN_C)),
    value(at + IN_PLANE, inside & (c + 1 < IN_C)),
    value(at + 2 * IN_PLANE, inside & (c + 2 < IN_C)),
    value(at + 3 * IN_PLANE, inside & (c + 3 < IN_C)),
  );
}
