enable subgroups;

// Weight gradient of a 3x3 convolution of stride 1, for adapters that run on the CPU.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       As in strips.wgsl: a load costs twenty multiply-adds or more, a shuffle between lanes one (llvmpipe) to five
//           (SwiftShader). So values of gy are loaded with lanes as output channels and used for 72 products; values of x
//           with lanes as pixels, then broadcast. Lanes as channels leave nothing to add across lanes at the end. Three
//           rows of gy are kept rather than three of x: what is kept is a plain operand, while a row of x would be
//           broadcast again for each of its three taps, 240 shuffles a step where 80 do.
// Mapping   A subgroup computes 8 output channels x 8 input channels x 9 taps: a lane holds 72 sums, and with LANES = 4 as many
//           again for a second output channel. It walks down strips of 8 columns. A step brings a row of gy and the row of
//           x that its upper tap meets (8 and 10 loads, with 4 lanes 16 and 20), and does 576 or 1152 multiply-adds.
// Split     Strips (image x columns) are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Ends      The last steps of a strip bring no gy, only the rows of x that lower taps still meet; above its first row of x
//           there is none to meet. Both are zeros: cheaper than a second copy of the loads.
// Dispatch  (ceil(parts * ceil(C / 8) / 4), ceil(K / 8), 1) workgroups of LANES x 4.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / 8) + gy * ceil(C / 8) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers.
// Pieces    sizes; weight_grad_strips_lanes8 or _lanes4, by the device's subgroup size, which is LANES.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// The nine taps of an input channel: r * 3 + s.
alias Sums = array<Value, 9>;

// One row of x for 8 input channels: columns 1 to 8 of the window by channel, LANES to a vector, then columns 0 and 9.
struct Line {
  middle: array<f32, 64 / LANES>,
  edges: array<f32, 16 / LANES>,
}

// Eight columns of three rows of gy, named by the row of taps that meets them.
struct Slopes {
  row0: array<Value, 8>,
  row1: array<Value, 8>,
  row2: array<Value, 8>,
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

// One input channel: its nine taps over a row of x.
fn taps(sums: Sums, c: u32, line: ptr<function, Line>, g: ptr<function, Slopes>) -> Sums {
  let x0 = column_0(line, c);
  let x1 = column(line, c, 1);
  let x2 = column(line, c, 2);
  let x3 = column(line, c, 3);
  let x4 = column(line, c, 4);
  let x5 = column(line, c, 5);
  let x6 = column(line, c, 6);
  let x7 = column(line, c, 7);
  let x8 = column(line, c, 8);
  let x9 = column_9(line, c);
  var s = sums;
  s = add(s, x0, x1, x2, (*g).row0[0], (*g).row1[0], (*g).row2[0]);
  s = add(s, x1, x2, x3, (*g).row0[1], (*g).row1[1], (*g).row2[1]);
  s = add(s, x2, x3, x4, (*g).row0[2], (*g).row1[2], (*g).row2[2]);
  s = add(s, x3, x4, x5, (*g).row0[3], (*g).row1[3], (*g).row2[3]);
  s = add(s, x4, x5, x6, (*g).row0[4], (*g).row1[4], (*g).row2[4]);
  s = add(s, x5, x6, x7, (*g).row0[5], (*g).row1[5], (*g).row2[5]);
  s = add(s, x6, x7, x8, (*g).row0[6], (*g).row1[6], (*g).row2[6]);
  s = add(s, x7, x8, x9, (*g).row0[7], (*g).row1[7], (*g).row2[7]);
  return s;
}

// Three pixels of a row of x with a column of three rows of gy.
fn add(s: Sums, x0: f32, x1: f32, x2: f32, g0: Value, g1: Value, g2: Value) -> Sums {
  return Sums(
    s[0] + g0 * x0, s[1] + g0 * x1, s[2] + g0 * x2,
    s[3] + g1 * x0, s[4] + g1 * x1, s[5] + g1 * x2,
    s[6] + g2 * x0, s[7] + g2 * x1, s[8] + g2 * x2,
  );
}

// A column of a row of gy, zero outside; lanes are output channels.
fn slope(row: Index, w: u32, width: u32, valid: bool) -> Value {
  let inside = valid & (w < width);
  return select(Value(), values(select(Index(), row + w, inside)), inside);
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
  let k = channels_of(group.y * 8 + lane);

  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var s4: Sums;
  var s5: Sums;
  var s6: Sums;
  var s7: Sums;
  var g: Slopes;
  // Rows of all strips of the run as one loop.
  let steps = out_height + 2 - size(6);
  for (var step = 0u; step < run * steps; step++) {
    let strip = part * run + step / steps;
    let row = step % steps; // of gy
    let n = min(strip, strips - 1) / across;
    let w = strip % across * 8;
    var line = load_line(s, size(8) + n * size(9), row - size(6), w - size(7));
    let valid = (strip < strips) & (row < out_height);
    let plane = size(10) + n * size(11) + min(k, Index(out_channels - 1)) * (out_height * out_width);
    let at = plane + row * out_width;
    g.row2 = g.row1;
    g.row1 = g.row0;
    if (row == 0) {
      g.row2 = array<Value, 8>();
      g.row1 = array<Value, 8>();
    }
    g.row0 = array<Value, 8>(
      slope(at, w, out_width, valid),
      slope(at, w + 1, out_width, valid),
      slope(at, w + 2, out_width, valid),
      slope(at, w + 3, out_width, valid),
      slope(at, w + 4, out_width, valid),
      slope(at, w + 5, out_width, valid),
      slope(at, w + 6, out_width, valid),
      slope(at, w + 7, out_width, valid),
    );
    s0 = taps(s0, 0, &line, &g);
    s1 = taps(s1, 1, &line, &g);
    s2 = taps(s2, 2, &line, &g);
    s3 = taps(s3, 3, &line, &g);
    s4 = taps(s4, 4, &line, &g);
    s5 = taps(s5, 5, &line, &g);
    s6 = taps(s6, 6, &line, &g);
    s7 = taps(s7, 7, &line, &g);
  }

  // A loop over channels, which moves the next one's sums down each time, as in strips.wgsl.
  for (var c = 0u; c < 8; c++) {
    let inside = (part < parts) & (s.first + c < channels);
    let at = size(16) + ((part * out_channels + k) * channels + s.first + c) * 9;
    store(at, (k < Index(out_channels)) & Inside(inside), s0);
    s0 = s1;
    s1 = s2;
    s2 = s3;
    s3 = s4;
    s4 = s5;
    s5 = s6;
    s6 = s7;
  }
}
