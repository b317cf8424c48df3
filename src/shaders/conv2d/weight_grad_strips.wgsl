enable subgroups;

// Weight gradient of a 3x3 convolution of stride 1, for adapters that run on the CPU.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       As in strips.wgsl: a load costs fifty multiply-adds, a shuffle between lanes half of one. So values of gy are
//           loaded with lanes as output channels and used for 72 products; values of x with lanes as pixels, then
//           broadcast. Lanes as channels leave nothing to add across lanes at the end.
// Mapping   A subgroup of LANES lanes computes LANES output channels x 8 input channels x 9 taps: a lane holds 72 sums. It
//           walks down strips of 8 columns. A row costs 8 loads of gy, 80 pixels of x, loaded LANES at a time (the two
//           rows above are still there), and gives 576 multiply-adds a lane.
// Split     Strips (image x columns) are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Start     A strip starts two rows early with gy = 0, to fill the window: cheaper than a second copy of the loads.
// Dispatch  (ceil(parts * ceil(C / 8) / 4), ceil(K / LANES), 1) workgroups of LANES x 4.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / LANES) + gy * ceil(C / 8) + parts * gw), the first two from caches mostly.
// Const     LANES: the subgroup size, which must be that of the device (4 or 8). Sizes come from sizes.wgsl, so that one
//           pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// One row of x for 8 input channels: columns 1 to 8 of the window by channel, LANES to a vector, then columns 0 and 9.
struct Line {
  middle: array<f32, 64 / LANES>,
  edges: array<f32, 16 / LANES>,
}

// Where a subgroup reads x.
struct Source {
  channels: u32,
  height: u32,
  width: u32,
  first: u32, // input channel
  lane: u32,
}

// One value of x; zero outside the image. Unsigned: above and left of it the index wraps round to a huge one. A channel
// past the last repeats it; its sums are not stored. `&`, for `&&` is a branch, and SwiftShader compiles in a time that
// doubles with each branch in a row.
fn pixel(s: Source, image: u32, c: u32, h: u32, w: u32) -> f32 {
  let inside = (h < s.height) & (w < s.width);
  let at = (min(s.first + c, s.channels - 1) * s.height + h) * s.width + w;
  return select(0.0, f32(x[select(0, image + at, inside)]), inside);
}

// Row h, with `left` the column of the window's left edge.
fn load_line(s: Source, image: u32, h: u32, left: u32) -> Line {
  var line: Line;
  let w = left + 1 + s.lane;
  if (LANES == 8) {
    line.middle[0] = pixel(s, image, 0, h, w);
    line.middle[1] = pixel(s, image, 1, h, w);
    line.middle[2] = pixel(s, image, 2, h, w);
    line.middle[3] = pixel(s, image, 3, h, w);
    line.middle[4] = pixel(s, image, 4, h, w);
    line.middle[5] = pixel(s, image, 5, h, w);
    line.middle[6] = pixel(s, image, 6, h, w);
    line.middle[7] = pixel(s, image, 7, h, w);
  } else {
    line.middle[0] = pixel(s, image, 0, h, w);
    line.middle[1] = pixel(s, image, 0, h, w + 4);
    line.middle[2] = pixel(s, image, 1, h, w);
    line.middle[3] = pixel(s, image, 1, h, w + 4);
    line.middle[4] = pixel(s, image, 2, h, w);
    line.middle[5] = pixel(s, image, 2, h, w + 4);
    line.middle[6] = pixel(s, image, 3, h, w);
    line.middle[7] = pixel(s, image, 3, h, w + 4);
    line.middle[64 / LANES - 8] = pixel(s, image, 4, h, w);
    line.middle[64 / LANES - 7] = pixel(s, image, 4, h, w + 4);
    line.middle[64 / LANES - 6] = pixel(s, image, 5, h, w);
    line.middle[64 / LANES - 5] = pixel(s, image, 5, h, w + 4);
    line.middle[64 / LANES - 4] = pixel(s, image, 6, h, w);
    line.middle[64 / LANES - 3] = pixel(s, image, 6, h, w + 4);
    line.middle[64 / LANES - 2] = pixel(s, image, 7, h, w);
    line.middle[64 / LANES - 1] = pixel(s, image, 7, h, w + 4);
  }
  // Lanes as (channel, side).
  let c = s.lane / 2;
  let edge = left + s.lane % 2 * 9;
  line.edges[0] = pixel(s, image, c, h, edge);
  line.edges[1] = pixel(s, image, c + LANES / 2, h, edge);
  if (LANES == 4) {
    line.edges[16 / LANES - 2] = pixel(s, image, c + 4, h, edge);
    line.edges[16 / LANES - 1] = pixel(s, image, c + 6, h, edge);
  }
  return line;
}

// Column `j` (1 to 8) of channel `c`, the same for all lanes; then columns 0 and 9.
fn column(line: ptr<function, Line>, c: u32, j: u32) -> f32 {
  let i = c * 8 + j - 1;
  return subgroupShuffle((*line).middle[i / LANES], i % LANES);
}

fn column_0(line: ptr<function, Line>, c: u32) -> f32 {
  return subgroupShuffle((*line).edges[2 * c / LANES], 2 * c % LANES);
}

fn column_9(line: ptr<function, Line>, c: u32) -> f32 {
  return subgroupShuffle((*line).edges[2 * c / LANES], (2 * c + 1) % LANES);
}

// One input channel: its nine taps over the eight columns of a row, as [r][s].
fn taps(
  sum: mat3x3<f32>,
  c: u32,
  above: ptr<function, Line>,
  here: ptr<function, Line>,
  below: ptr<function, Line>,
  g: ptr<function, array<f32, 8>>,
) -> mat3x3<f32> {
  let a0 = column_0(above, c);
  let a1 = column(above, c, 1);
  let a2 = column(above, c, 2);
  let a3 = column(above, c, 3);
  let a4 = column(above, c, 4);
  let a5 = column(above, c, 5);
  let a6 = column(above, c, 6);
  let a7 = column(above, c, 7);
  let a8 = column(above, c, 8);
  let a9 = column_9(above, c);
  let h0 = column_0(here, c);
  let h1 = column(here, c, 1);
  let h2 = column(here, c, 2);
  let h3 = column(here, c, 3);
  let h4 = column(here, c, 4);
  let h5 = column(here, c, 5);
  let h6 = column(here, c, 6);
  let h7 = column(here, c, 7);
  let h8 = column(here, c, 8);
  let h9 = column_9(here, c);
  let b0 = column_0(below, c);
  let b1 = column(below, c, 1);
  let b2 = column(below, c, 2);
  let b3 = column(below, c, 3);
  let b4 = column(below, c, 4);
  let b5 = column(below, c, 5);
  let b6 = column(below, c, 6);
  let b7 = column(below, c, 7);
  let b8 = column(below, c, 8);
  let b9 = column_9(below, c);
  var s = sum;
  s += (*g)[0] * mat3x3(a0, a1, a2, h0, h1, h2, b0, b1, b2);
  s += (*g)[1] * mat3x3(a1, a2, a3, h1, h2, h3, b1, b2, b3);
  s += (*g)[2] * mat3x3(a2, a3, a4, h2, h3, h4, b2, b3, b4);
  s += (*g)[3] * mat3x3(a3, a4, a5, h3, h4, h5, b3, b4, b5);
  s += (*g)[4] * mat3x3(a4, a5, a6, h4, h5, h6, b4, b5, b6);
  s += (*g)[5] * mat3x3(a5, a6, a7, h5, h6, h7, b5, b6, b7);
  s += (*g)[6] * mat3x3(a6, a7, a8, h6, h7, h8, b6, b7, b8);
  s += (*g)[7] * mat3x3(a7, a8, a9, h7, h8, h9, b7, b8, b9);
  return s;
}

// One value of gy, zero outside; lanes are output channels.
fn slope(plane: u32, row: u32, w: u32, width: u32, valid: bool) -> f32 {
  let inside = valid & (w < width);
  return select(0.0, f32(gy[select(0, plane + row * width + w, inside)]), inside);
}

@compute @workgroup_size(LANES, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let channels = size(0);
  let out_channels = size(3);
  let out_height = size(4);
  let out_width = size(5);
  let across = size(12); // strips of an image
  let strips = size(13); // of all images
  let run = size(14); // strips of a part
  let parts = size(15);

  let blocks = (channels + 7) / 8;
  let tile = group.x * 4 + id.y;
  let part = tile / blocks;
  let s = Source(channels, size(1), size(2), tile % blocks * 8, lane);
  let k = group.y * LANES + lane;
  let k_read = min(k, out_channels - 1);

  var s0 = mat3x3<f32>();
  var s1 = mat3x3<f32>();
  var s2 = mat3x3<f32>();
  var s3 = mat3x3<f32>();
  var s4 = mat3x3<f32>();
  var s5 = mat3x3<f32>();
  var s6 = mat3x3<f32>();
  var s7 = mat3x3<f32>();
  var above: Line;
  var here: Line;
  // Rows of all strips of the run as one loop: each strip has two rows more than the output, the first two to fill the window.
  let steps = out_height + 2;
  for (var step = 0u; step < run * steps; step++) {
    let strip = part * run + step / steps;
    let row = step % steps; // of x, counted from the window's first
    let n = min(strip, strips - 1) / across;
    let w = strip % across * 8;
    var below = load_line(s, size(8) + n * size(9), row - size(6), w - size(7));
    let valid = (strip < strips) & (row >= 2);
    let plane = size(10) + n * size(11) + k_read * out_height * out_width;
    var g = array<f32, 8>(
      slope(plane, row - 2, w, out_width, valid),
      slope(plane, row - 2, w + 1, out_width, valid),
      slope(plane, row - 2, w + 2, out_width, valid),
      slope(plane, row - 2, w + 3, out_width, valid),
      slope(plane, row - 2, w + 4, out_width, valid),
      slope(plane, row - 2, w + 5, out_width, valid),
      slope(plane, row - 2, w + 6, out_width, valid),
      slope(plane, row - 2, w + 7, out_width, valid),
    );
    s0 = taps(s0, 0, &above, &here, &below, &g);
    s1 = taps(s1, 1, &above, &here, &below, &g);
    s2 = taps(s2, 2, &above, &here, &below, &g);
    s3 = taps(s3, 3, &above, &here, &below, &g);
    s4 = taps(s4, 4, &above, &here, &below, &g);
    s5 = taps(s5, 5, &above, &here, &below, &g);
    s6 = taps(s6, 6, &above, &here, &below, &g);
    s7 = taps(s7, 7, &above, &here, &below, &g);
    above = here;
    here = below;
  }

  // A loop over channels, which moves the next one's sums down each time, as in strips.wgsl.
  for (var c = 0u; c < 8; c++) {
    if (part < parts && k < out_channels && s.first + c < channels) {
      let at = size(16) + ((part * out_channels + k) * channels + s.first + c) * 9;
      part_sums[at] = s0[0][0];
      part_sums[at + 1] = s0[0][1];
      part_sums[at + 2] = s0[0][2];
      part_sums[at + 3] = s0[1][0];
      part_sums[at + 4] = s0[1][1];
      part_sums[at + 5] = s0[1][2];
      part_sums[at + 6] = s0[2][0];
      part_sums[at + 7] = s0[2][1];
      part_sums[at + 8] = s0[2][2];
    }
    s0 = s1;
    s1 = s2;
    s2 = s3;
    s3 = s4;
    s4 = s5;
    s5 = s6;
    s6 = s7;
  }
}
