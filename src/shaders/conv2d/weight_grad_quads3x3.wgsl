enable subgroups;

// Weight gradient of a 3x3 convolution of stride 1 in registers that the four lanes of a quad load for each other: 16 output
// channels x 8 input channels x 9 taps a quad.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       For adapters on the CPU with subgroups of 4, where a load costs twenty multiply-adds, a shuffle five, but a swap
//           within a quad next to nothing. A step has 28 loads for 1152 multiply-adds a lane; weight_grad_strips.wgsl has 36
//           and 160 shuffles for as many.
// Mapping   A lane is (group, side): two groups of 8 output channels, two sides of 4 input channels. It loads gy of one half of
//           its group and has the other from the lane of the other side (quadSwapY), and loads x of half of its side
//           and has the other from the lane of the other group (quadSwapX). Which half comes first differs from lane
//           to lane, which matters to the store alone. 72 vec4 of sums.
//           A quad walks down strips of 4 columns. A step brings a row of gy and the row of x that its upper tap meets; three
//           rows of gy are kept, as in weight_grad_strips.wgsl.
// Split     Strips (image x columns) are dealt out in runs to `parts` quads; reduce_parts.wgsl adds their sums in order.
// Ends      The last steps of a strip bring no gy, only the rows of x that lower taps still meet; above its first row of x
//           there is none to meet. Both are zeros.
// Dispatch  (ceil(parts * ceil(C / 8) / 4), ceil(K / 16), 1) workgroups of 4 x 4: a quad a row of the workgroup.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / 16) * 1.5 + gy * ceil(C / 8) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// The nine taps of an input channel, r * 3 + s, for four output channels.
alias Sums = array<vec4<f32>, 9>;

// Six pixels of a row of x.
struct Row {
  left: vec4<f32>,
  right: vec2<f32>,
}

// Four columns of three rows of gy, named by the row of taps that meets them: four output channels (components) of four
// pixels (columns).
struct Slopes {
  row0: mat4x4<f32>,
  row1: mat4x4<f32>,
  row2: mat4x4<f32>,
}

// The window's six columns of x in its image, and whether they are there.
struct Window {
  at_left: vec4<u32>,
  at_right: vec2<u32>,
  in_left: vec4<bool>,
  in_right: vec2<bool>,
}

// Unsigned: left of the image the index wraps round to a huge one. `&`, for `&&` is a branch, and SwiftShader compiles in a
// time that doubles with each branch in a row.
fn window(left: u32, width: u32) -> Window {
  let columns = left + vec4<u32>(0, 1, 2, 3);
  let more = left + vec2<u32>(4, 5);
  let in_left = columns < vec4(width);
  let in_right = more < vec2(width);
  return Window(select(vec4<u32>(), columns, in_left), select(vec2<u32>(), more, in_right), in_left, in_right);
}

// The row of x that begins at `at`; zero outside the image.
fn load_row(at: u32, w: Window, inside: bool) -> Row {
  let l = at + w.at_left;
  let r = at + w.at_right;
  return Row(
    select(vec4<f32>(), vec4(f32(x[l.x]), f32(x[l.y]), f32(x[l.z]), f32(x[l.w])), w.in_left & vec4(inside)),
    select(vec2<f32>(), vec2(f32(x[r.x]), f32(x[r.y])), w.in_right & vec2(inside)),
  );
}

// Four output channels of one pixel of gy; zero outside.
fn slope(at: vec4<u32>, inside: bool) -> vec4<f32> {
  return select(vec4<f32>(), vec4(f32(gy[at.x]), f32(gy[at.y]), f32(gy[at.z]), f32(gy[at.w])), vec4(inside));
}

fn other_group(v: Row) -> Row {
  return Row(quadSwapX(v.left), quadSwapX(v.right));
}

fn other_side(v: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4(quadSwapY(v[0]), quadSwapY(v[1]), quadSwapY(v[2]), quadSwapY(v[3]));
}

// A new row of gy above those that are kept.
fn push(g: Slopes, row: mat4x4<f32>) -> Slopes {
  return Slopes(row, g.row0, g.row1);
}

// One input channel: its nine taps over a row of x.
fn add(s: Sums, v: Row, g: Slopes) -> Sums {
  let v1 = vec4(v.left.yzw, v.right.x);
  let v2 = vec4(v.left.zw, v.right);
  return Sums(
    s[0] + g.row0 * v.left, s[1] + g.row0 * v1, s[2] + g.row0 * v2,
    s[3] + g.row1 * v.left, s[4] + g.row1 * v1, s[5] + g.row1 * v2,
    s[6] + g.row2 * v.left, s[7] + g.row2 * v1, s[8] + g.row2 * v2,
  );
}

// Four output channels, `step` apart.
fn store_all(at: u32, step: u32, s: Sums) {
  let places = at + vec4<u32>(0, 1, 2, 3) * step;
  store_four(places, s[0]);
  store_four(places + 1, s[1]);
  store_four(places + 2, s[2]);
  store_four(places + 3, s[3]);
  store_four(places + 4, s[4]);
  store_four(places + 5, s[5]);
  store_four(places + 6, s[6]);
  store_four(places + 7, s[7]);
  store_four(places + 8, s[8]);
}

fn store_four(at: vec4<u32>, v: vec4<f32>) {
  part_sums[at.x] = v.x;
  part_sums[at.y] = v.y;
  part_sums[at.z] = v.z;
  part_sums[at.w] = v.w;
}

// The same where only `count` channels are there.
fn store_some(at: u32, step: u32, s: Sums, count: u32) {
  var sums = s;
  for (var i = 0u; i < count; i++) {
    for (var tap = 0u; tap < 9; tap++) {
      part_sums[at + i * step + tap] = sums[tap][i];
    }
  }
}

@compute @workgroup_size(4, 4)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let group = id.x % 2;
  let side = id.x / 2;
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
  let tile = group_id.x * 4 + id.y;
  let part = tile / blocks;
  let k = group_id.y * 16 + group * 8;
  let c = tile % blocks * 8 + side * 4;
  // This lane's halves, and the ones that come by swaps.
  let own_k = k + side * 4;
  let other_k = k + 4 - side * 4;
  let own_c = c + group * 2;
  let other_c = c + 2 - group * 2;
  // A channel past the last repeats it, and is not stored.
  let planes = min(own_k + vec4<u32>(0, 1, 2, 3), vec4(out_channels - 1)) * (out_height * out_width);
  let plane0 = min(own_c, channels - 1) * (height * width);
  let plane1 = min(own_c + 1, channels - 1) * (height * width);

  // By input channel (own, own, the other lane's, and again) and half of the output channels (own, then the other lane's).
  var a0: Sums;
  var a1: Sums;
  var a2: Sums;
  var a3: Sums;
  var b0: Sums;
  var b1: Sums;
  var b2: Sums;
  var b3: Sums;
  let steps = out_height + 2 - size(6);
  for (var i = 0u; i < run; i++) {
    let strip = part * run + i;
    let there = strip < strips;
    let n = min(strip, strips - 1) / across;
    let w = strip % across * 4;
    let from_x = size(8) + n * size(9);
    let from_gy = size(10) + n * size(11) + min(w + vec4<u32>(0, 1, 2, 3), vec4(out_width - 1));
    let in_columns = (w + vec4<u32>(0, 1, 2, 3)) < vec4(out_width);
    let columns = window(w - size(7), width);
    var g: Slopes;
    var o: Slopes;
    for (var row = 0u; row < steps; row++) {
      // Of gy; past its last row that is read again, for nothing.
      let valid = there & (row < out_height);
      let at = from_gy + min(row, out_height - 1) * out_width;
      let slopes = mat4x4(
        slope(at.x + planes, in_columns.x & valid),
        slope(at.y + planes, in_columns.y & valid),
        slope(at.z + planes, in_columns.z & valid),
        slope(at.w + planes, in_columns.w & valid),
      );
      g = push(g, slopes);
      o = push(o, other_side(slopes));
      let h = row - size(6);
      let inside = h < height;
      let line = from_x + select(0, h, inside) * width;
      let v0 = load_row(line + plane0, columns, inside);
      a0 = add(a0, v0, g);
      b0 = add(b0, v0, o);
      let v1 = load_row(line + plane1, columns, inside);
      a1 = add(a1, v1, g);
      b1 = add(b1, v1, o);
      let v2 = other_group(v0);
      a2 = add(a2, v2, g);
      b2 = add(b2, v2, o);
      let v3 = other_group(v1);
      a3 = add(a3, v3, g);
      b3 = add(b3, v3, o);
    }
  }

  // A loop that moves what comes next down, for an array of sums indexed by a variable is slow.
  if (part >= size(15)) {
    return;
  }
  let step = channels * 9;
  for (var i = 0u; i < 4; i++) {
    let channel = select(own_c, other_c, i >= 2) + i % 2;
    let at = size(16) + (part * out_channels * channels + channel) * 9;
    if (channel < channels) {
      if (k + 7 < out_channels) {
        store_all(at + own_k * step, step, a0);
        store_all(at + other_k * step, step, b0);
      } else {
        store_some(at + own_k * step, step, a0, min(max(out_channels, own_k) - own_k, 4));
        store_some(at + other_k * step, step, b0, min(max(out_channels, other_k) - other_k, 4));
      }
    }
    a0 = a1;
    a1 = a2;
    a2 = a3;
    b0 = b1;
    b1 = b2;
    b2 = b3;
  }
}
