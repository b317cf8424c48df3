enable subgroups;

// Weight gradient of a 3x3 convolution of stride 1, for adapters that run on the CPU with subgroups of 8.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       As in strips.wgsl: a load costs twenty multiply-adds, a shuffle between lanes one. So values of gy are loaded with
//           lanes as output channels and used for 72 products; values of x come eight at a time and are broadcast. Lanes as
//           channels leave nothing to add across lanes at the end. Three rows of gy are kept rather than three of x: what
//           is kept is a plain operand, while a row of x would be broadcast again for each of its three taps, 144 shuffles
//           a step where 48 do.
// Mapping   A subgroup computes 8 output channels x 8 input channels x 9 taps: a lane holds 72 sums. It walks down strips of
//           4 columns. A step brings a row of gy and the row of x that its upper tap meets (4 and 6 loads), and does 288
//           multiply-adds, sum by sum, so that each is fetched once a step. With 8 columns a step has less to load for a
//           product, but its code outgrows the processor's cache of decoded instructions.
// Lines     Where planes are whole pages, as sizes of powers of two make them, all lines of memory that a load meets fall into
//           one set of the first-level cache, which holds 8. So a load of x takes two columns of four channels rather than one of
//           eight: three loads in a row use four lines.
// Split     Strips (image x columns) are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Ends      The last steps of a strip bring no gy, only the rows of x that lower taps still meet; above its first row of x
//           there is none to meet. Both are zeros: cheaper than a second copy of the loads.
// Dispatch  (ceil(parts * ceil(C / 8) / 4), ceil(K / 8), 1) workgroups of 8 x 4.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / 8) * 1.5 + gy * ceil(C / 8) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// The nine taps of an input channel: r * 3 + s.
alias Sums = array<f32, 9>;

// Six columns of one row of x for 8 input channels: a value holds two columns of channels 0 to 3 or 4 to 7, with lanes as (channel,
// column).
alias Line = array<f32, 6>;

// Four columns of a row of gy, with lanes as output channels.
alias Slopes = array<f32, 4>;

// Three rows of gy, named by the row of taps that meets them.
struct Rows {
  row0: Slopes,
  row1: Slopes,
  row2: Slopes,
}

// The value of row `at` in column `w`; zero outside the image, where any is read. Unsigned: left of the image `w` wraps round to a
// huge one.
fn pixel(at: u32, w: u32, width: u32, row_inside: bool) -> f32 {
  let inside = w < width;
  return select(0.0, f32(x[at + select(0, w, inside)]), inside & row_inside);
}

fn slope(at: u32, w: u32, width: u32, row_inside: bool) -> f32 {
  let inside = w < width;
  return select(0.0, f32(gy[at + select(0, w, inside)]), inside & row_inside);
}

// Columns 2 * pair and 2 * pair + 1 of channel `c`, the same for all lanes.
fn columns(line: ptr<function, Line>, c: u32, pair: u32) -> vec2<f32> {
  let v = (*line)[c / 4 * 3 + pair];
  let lane = c % 4 * 2;
  return vec2(subgroupShuffle(v, lane), subgroupShuffle(v, lane + 1));
}

// One input channel: its nine taps over a row of x.
fn taps(s: Sums, c: u32, line: ptr<function, Line>, g: ptr<function, Rows>) -> Sums {
  let a = columns(line, c, 0);
  let b = columns(line, c, 1);
  let e = columns(line, c, 2);
  return Sums(
    add(s[0], (*g).row0, a.x, a.y, b.x, b.y), add(s[1], (*g).row0, a.y, b.x, b.y, e.x), add(s[2], (*g).row0, b.x, b.y, e.x, e.y),
    add(s[3], (*g).row1, a.x, a.y, b.x, b.y), add(s[4], (*g).row1, a.y, b.x, b.y, e.x), add(s[5], (*g).row1, b.x, b.y, e.x, e.y),
    add(s[6], (*g).row2, a.x, a.y, b.x, b.y), add(s[7], (*g).row2, a.y, b.x, b.y, e.x), add(s[8], (*g).row2, b.x, b.y, e.x, e.y),
  );
}

fn add(s: f32, g: Slopes, x0: f32, x1: f32, x2: f32, x3: f32) -> f32 {
  return s + g[0] * x0 + g[1] * x1 + g[2] * x2 + g[3] * x3;
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
  let low = size(8) + min(first + lane / 2, last) * plane;
  let high = size(8) + min(first + 4 + lane / 2, last) * plane;
  let plane_of_k = size(10) + min(k, out_channels - 1) * (out_height * out_width);

  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var s4: Sums;
  var s5: Sums;
  var s6: Sums;
  var s7: Sums;
  var g: Rows;
  let steps = out_height + 2 - size(6);
  for (var i = 0u; i < run; i++) {
    let strip = part * run + i;
    let there = strip < strips;
    let n = min(strip, strips - 1) / across;
    let w = strip % across * 4;
    let left = w - size(7) + lane % 2;
    let image = n * size(9);
    let from_gy = plane_of_k + n * size(11);
    g.row0 = Slopes();
    g.row1 = Slopes();
    for (var row = 0u; row < steps; row++) {
      // Of x; above the image it wraps round to a huge one.
      let h = row - size(6);
      let inside = h < height;
      let line_at = image + select(0, h * width, inside);
      var line = Line(
        pixel(line_at + low, left, width, inside),
        pixel(line_at + low, left + 2, width, inside),
        pixel(line_at + low, left + 4, width, inside),
        pixel(line_at + high, left, width, inside),
        pixel(line_at + high, left + 2, width, inside),
        pixel(line_at + high, left + 4, width, inside),
      );
      let valid = there & (row < out_height);
      let at = from_gy + select(0, row * out_width, valid);
      g.row2 = g.row1;
      g.row1 = g.row0;
      g.row0 = Slopes(
        slope(at, w, out_width, valid),
        slope(at, w + 1, out_width, valid),
        slope(at, w + 2, out_width, valid),
        slope(at, w + 3, out_width, valid),
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
