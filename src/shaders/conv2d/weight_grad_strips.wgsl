enable subgroups;

// Weight gradient of a 3x3 convolution of stride 1, for adapters that run on the CPU with subgroups of 8.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       As in strips.wgsl: a load costs twenty multiply-adds, a shuffle between lanes one. So values of gy are loaded with
//           lanes as output channels and used for 72 products; values of x with lanes as pixels, then broadcast. Lanes as
//           channels leave nothing to add across lanes at the end. Three rows of gy are kept rather than three of x: what
//           is kept is a plain operand, while a row of x would be broadcast again for each of its three taps, 240 shuffles
//           a step where 80 do.
// Mapping   A subgroup computes 8 output channels x 8 input channels x 9 taps: a lane holds 72 sums. It walks down strips of
//           8 columns. A step brings a row of gy and the row of x that its upper tap meets (8 and 10 loads), and does 576
//           multiply-adds. What does not change from row to row is found once a strip: nothing here does that by itself.
// Split     Strips (image x columns) are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Ends      The last steps of a strip bring no gy, only the rows of x that lower taps still meet; above its first row of x
//           there is none to meet. Both are zeros: cheaper than a second copy of the loads.
// Dispatch  (ceil(parts * ceil(C / 8) / 4), ceil(K / 8), 1) workgroups of 8 x 4.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / 8) + gy * ceil(C / 8) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// The nine taps of an input channel: r * 3 + s.
alias Sums = array<f32, 9>;

// One row of x for 8 input channels: columns 1 to 8 of the window by channel, then columns 0 and 9 with lanes as (channel, side).
struct Line {
  middle: array<f32, 8>,
  edges: array<f32, 2>,
}

// Eight columns of three rows of gy, named by the row of taps that meets them.
struct Slopes {
  row0: array<f32, 8>,
  row1: array<f32, 8>,
  row2: array<f32, 8>,
}

// A column of x or gy in its row, and whether it is there; else any is read. Unsigned: left of the image it wraps round to a huge
// one.
struct Column {
  at: u32,
  inside: bool,
}

fn column_at(w: u32, width: u32) -> Column {
  let inside = w < width;
  return Column(select(0, w, inside), inside);
}

// The value of row `at` in column `c`; zero outside the image.
fn pixel(at: u32, c: Column, inside: bool) -> f32 {
  return select(0.0, f32(x[at + c.at]), c.inside & inside);
}

fn slope(at: u32, c: Column, inside: bool) -> f32 {
  return select(0.0, f32(gy[at + c.at]), c.inside & inside);
}

// Column `j` (1 to 8) of channel `c`, the same for all lanes; then columns 0 and 9.
fn column(line: ptr<function, Line>, c: u32, j: u32) -> f32 {
  return subgroupShuffle((*line).middle[c], j - 1);
}

fn column_0(line: ptr<function, Line>, c: u32) -> f32 {
  return subgroupShuffle((*line).edges[c / 4], 2 * c % 8);
}

fn column_9(line: ptr<function, Line>, c: u32) -> f32 {
  return subgroupShuffle((*line).edges[c / 4], (2 * c + 1) % 8);
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
fn add(s: Sums, x0: f32, x1: f32, x2: f32, g0: f32, g1: f32, g2: f32) -> Sums {
  return Sums(
    s[0] + g0 * x0, s[1] + g0 * x1, s[2] + g0 * x2,
    s[3] + g1 * x0, s[4] + g1 * x1, s[5] + g1 * x2,
    s[6] + g2 * x0, s[7] + g2 * x1, s[8] + g2 * x2,
  );
}

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let channels = size(0);
  let height = size(1);
  let width = size(2);
  let out_channels = size(3);
  let out_height = size(4);
  let out_width = size(5);
  let across = size(12); // strips of an image
  let strips = size(13); // of all images
  let run = size(14); // strips of a part

  let blocks = (channels + 7) / 8;
  let tile = group.x * 4 + id.y;
  let part = tile / blocks;
  let first = tile % blocks * 8;
  let k = group.y * 8 + lane;
  // A channel past the last repeats it; its sums are not stored.
  let plane = height * width;
  let last = channels - 1;
  let p0 = first * plane;
  let p1 = min(first + 1, last) * plane;
  let p2 = min(first + 2, last) * plane;
  let p3 = min(first + 3, last) * plane;
  let p4 = min(first + 4, last) * plane;
  let p5 = min(first + 5, last) * plane;
  let p6 = min(first + 6, last) * plane;
  let p7 = min(first + 7, last) * plane;
  let e0 = min(first + lane / 2, last) * plane;
  let e1 = min(first + 4 + lane / 2, last) * plane;
  let plane_of_k = size(10) + min(k, out_channels - 1) * (out_height * out_width);

  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var s4: Sums;
  var s5: Sums;
  var s6: Sums;
  var s7: Sums;
  var g: Slopes;
  let steps = out_height + 2 - size(6);
  for (var i = 0u; i < run; i++) {
    let strip = part * run + i;
    let there = strip < strips;
    let n = min(strip, strips - 1) / across;
    let w = strip % across * 8;
    let left = w - size(7);
    let image = size(8) + n * size(9);
    let from_gy = plane_of_k + n * size(11);
    let middle = column_at(left + 1 + lane, width);
    let edge = column_at(left + lane % 2 * 9, width);
    let c0 = column_at(w, out_width);
    let c1 = column_at(w + 1, out_width);
    let c2 = column_at(w + 2, out_width);
    let c3 = column_at(w + 3, out_width);
    let c4 = column_at(w + 4, out_width);
    let c5 = column_at(w + 5, out_width);
    let c6 = column_at(w + 6, out_width);
    let c7 = column_at(w + 7, out_width);
    g.row0 = array<f32, 8>();
    g.row1 = array<f32, 8>();
    for (var row = 0u; row < steps; row++) {
      // Of x; above the image it wraps round to a huge one.
      let h = row - size(6);
      let inside = h < height;
      let line_at = image + select(0, h * width, inside);
      var line = Line(
        array<f32, 8>(
          pixel(line_at + p0, middle, inside),
          pixel(line_at + p1, middle, inside),
          pixel(line_at + p2, middle, inside),
          pixel(line_at + p3, middle, inside),
          pixel(line_at + p4, middle, inside),
          pixel(line_at + p5, middle, inside),
          pixel(line_at + p6, middle, inside),
          pixel(line_at + p7, middle, inside),
        ),
        array<f32, 2>(pixel(line_at + e0, edge, inside), pixel(line_at + e1, edge, inside)),
      );
      let valid = there & (row < out_height);
      let at = from_gy + select(0, row * out_width, valid);
      g.row2 = g.row1;
      g.row1 = g.row0;
      g.row0 = array<f32, 8>(
        slope(at, c0, valid),
        slope(at, c1, valid),
        slope(at, c2, valid),
        slope(at, c3, valid),
        slope(at, c4, valid),
        slope(at, c5, valid),
        slope(at, c6, valid),
        slope(at, c7, valid),
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
  }

  // A loop over channels, which moves the next one's sums down each time, as in strips.wgsl.
  for (var c = 0u; c < 8; c++) {
    if (part < size(15) && first + c < channels && k < out_channels) {
      let at = size(16) + ((part * out_channels + k) * channels + first + c) * 9;
      part_sums[at] = s0[0];
      part_sums[at + 1] = s0[1];
      part_sums[at + 2] = s0[2];
      part_sums[at + 3] = s0[3];
      part_sums[at + 4] = s0[4];
      part_sums[at + 5] = s0[5];
      part_sums[at + 6] = s0[6];
      part_sums[at + 7] = s0[7];
      part_sums[at + 8] = s0[8];
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
