// From 8-bit slices to a training tensor in one gather: scaling of values, resize, centre crop or zero pad, rotation
// and flip, with no image in between. Each output pixel is followed back through the steps, last one first:
//
//   flip      column x came from W - 1 - x
//   rotation  by the angle about the frame's centre, nearest pixel, half to even; from outside the frame comes 0
//   crop      the frame is cut out of the resized slice d = resized - frame larger at ceil(d / 2) - 1, or
//   pad       lies in it, d <= 0, from -floor(-d / 2) on; what is outside the resized slice is 0
//   resize    bilinear, pixels as squares (align_corners false), no antialiasing; clamped at the edges
//   values    (byte - shift) * gain, each channel its own, before the resize's interpolation, which is the same as after
//             it, since its weights add up to 1
//
// Masks go the same way as one channel, with SCALE in place of shift and gain.
//
// Mapping   one invocation makes one output pixel, all channels. Neighbours read neighbouring bytes, mostly from
//           cache.
// Dispatch  ceil(COUNT / WORKGROUP) workgroups, folded over x and y.
// Bytes     C a slice pixel read, 4 C an output pixel written.
// Exactness positions in the slice are ratios of integers, so the bilinear weights are right to the last bit, and
//           with a scale of 1 and no rotation every pixel is its own byte.
//
// Consts: COUNT: output pixels; C; H, W: slices; OH, OW: output; SLICES_OFFSET, SLICES_BATCH in bytes; ROW: floats in
//         a row of the table; TABLE_OFFSET; Y_OFFSET, Y_BATCH in elements; PLAIN: bool, whether values are just times
//         SCALE; SCALE: f32.

// Bytes [N, H, W, C], four to a word, the first lowest.
@group(0) @binding(0) var<storage, read> slices: array<u32>;
// A row for each item: see the places below.
@group(0) @binding(1) var<storage, read> table: array<f32>;
// [N, C, OH, OW]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const RESIZED_HEIGHT = 0u;
const RESIZED_WIDTH = 1u;
const COSINE = 2u;
const SINE = 3u;
const FLIP = 4u;
const CHANNELS = 8u; // shift and gain of each

const CENTRE_X = 0.5 * (f32(OW) - 1.0);
const CENTRE_Y = 0.5 * (f32(OH) - 1.0);

fn byte(at: u32) -> f32 {
  return f32((slices[at / 4u] >> (8u * (at % 4u))) & 0xffu);
}

// Where the frame begins in the resized slice, along one axis; negative where it begins before.
fn frame_start(resized: i32, frame: i32) -> i32 {
  let d = resized - frame;
  return select(-(-d / 2), (d + 1) / 2 - 1, d > 0);
}

struct Tap {
  first: u32,
  second: u32,
  // Weight of the second; the first has the rest.
  weight: f32,
}

// The two pixels of a line of `size` that pixel i of the same line resized to `resized` lies between: it is at
// (i + 1/2) size / resized - 1/2 = ((2 i + 1) size - resized) / (2 resized), clamped below at 0.
fn tap(i: u32, size: u32, resized: u32) -> Tap {
  let twice = (2u * i + 1u) * size;
  let above = select(0u, twice - resized, twice > resized);
  let whole = above / (2u * resized);
  let rest = above - whole * (2u * resized);
  return Tap(min(whole, size - 1u), min(whole + 1u, size - 1u), f32(rest) / f32(2u * resized));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  let out_x = i % OW;
  let out_y = (i / OW) % OH;
  let n = i / (OW * OH);
  let row = TABLE_OFFSET + n * ROW;
  let to = Y_OFFSET + n * Y_BATCH + out_y * OW + out_x;

  let flipped_x = select(out_x, OW - 1u - out_x, table[row + FLIP] != 0.0);

  let x = f32(flipped_x) - CENTRE_X;
  let y_down = f32(out_y) - CENTRE_Y;
  let cosine = table[row + COSINE];
  let sine = table[row + SINE];
  let frame_x = i32(round(cosine * x - sine * y_down + CENTRE_X));
  let frame_y = i32(round(sine * x + cosine * y_down + CENTRE_Y));

  let resized_width = i32(table[row + RESIZED_WIDTH]);
  let resized_height = i32(table[row + RESIZED_HEIGHT]);
  let at_x = frame_x + frame_start(resized_width, i32(OW));
  let at_y = frame_y + frame_start(resized_height, i32(OH));

  let in_frame = frame_x >= 0 && frame_x < i32(OW) && frame_y >= 0 && frame_y < i32(OH);
  let in_slice = at_x >= 0 && at_x < resized_width && at_y >= 0 && at_y < resized_height;
  if (!(in_frame && in_slice)) {
    for (var c = 0u; c < C; c++) {
      y[to + c * (OH * OW)] = 0.0;
    }
    return;
  }

  let horizontal = tap(u32(at_x), W, u32(resized_width));
  let vertical = tap(u32(at_y), H, u32(resized_height));
  let slice = SLICES_OFFSET + n * SLICES_BATCH;
  let upper_left = slice + (vertical.first * W + horizontal.first) * C;
  let upper_right = slice + (vertical.first * W + horizontal.second) * C;
  let lower_left = slice + (vertical.second * W + horizontal.first) * C;
  let lower_right = slice + (vertical.second * W + horizontal.second) * C;
  for (var c = 0u; c < C; c++) {
    let upper = (1.0 - horizontal.weight) * byte(upper_left + c) + horizontal.weight * byte(upper_right + c);
    let lower = (1.0 - horizontal.weight) * byte(lower_left + c) + horizontal.weight * byte(lower_right + c);
    let value = (1.0 - vertical.weight) * upper + vertical.weight * lower;
    if (PLAIN) {
      y[to + c * (OH * OW)] = value * SCALE;
    } else {
      let scaling = row + CHANNELS + 2u * c;
      y[to + c * (OH * OW)] = (value - table[scaling]) * table[scaling + 1u];
    }
  }
}
