enable subgroups;

// 3x3 convolution of stride 1, forward or input gradient, for adapters that run on the CPU with subgroups of 8: strips.wgsl
// with Winograd's F(4,3) down the columns.
//
//   out[n,k,h,w] = epilogue( sum over c, r, s of in[n, c, h + r - pad_h, w + s - pad_w] * filter[k,c,r,s] )
//
// Idea      Four outputs of a column and one column of the filter are a convolution of length 3. Winograd's F(4,3) does it with
//           6 products instead of 12: V = B d (6 inputs), U = G g (3 taps, by winograd_strips_pack.wgsl), y = A (U * V), and
//           A comes after the sum over channels. Across the columns the three taps stay as they are.
// Why 1D    F(2x2,3x3) saves 2.25 times the products instead of 2, but holds 4 sums a pixel against 1.5 here, each used
//           once a channel against three times, and what is left after either is mostly loads. Here the code shrinks to
//           half of what strips.wgsl has, which fits the decoded-instruction cache; with 16 channels or 16 rows it no
//           longer does, and gains nothing.
// Mapping   A subgroup computes 8 columns x 8 rows x 8 output channels: a lane holds two F(4,3) tiles of one column, 12 sums
//           a channel. For each input channel: 10 rows of 8 pixels and their 20 edge pixels (13 storage loads), 144 weights
//           (5 loads of vec4 from a uniform buffer, broadcast by shuffles), 288 multiply-adds a lane.
// Chunks    A uniform buffer has 64 KiB, the weights of 113 input channels: a layer with more takes several launches,
//           each adding to what the one before left in `output`; the last applies the epilogue.
// Dispatch  (blocks of 8 channels in `weights`, tiles, 1) workgroups of 8: neighbours share pixels. Four tiles to a workgroup
//           were 4% slower.
// FLOPs     N*K*C*9 * H*W, half of the direct algorithm's, and 48 additions for each 64 pixels and channel.
// Bytes     4 * (in * ceil(K / 8) * 1.6 + out + 2 * filter * tiles), from caches mostly; in + 2 * filter + out from memory.
// Consts    CHUNKS: launches that add up. Sizes come from sizes.wgsl, so one pipeline serves all layers.
// Pieces    sizes, epilogue_shared, strips_pixels, strips_store.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, 4096>; // [blocks][C][6][3][8]
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

// A value for each of the two tiles of a lane.
alias Pair = vec2<f32>;
// One output channel in the transform's domain.
alias Sums = array<Pair, 6>;

// Value i of the edges, which were loaded 8 to a vector.
fn edge(edges: ptr<function, array<f32, 3>>, i: u32) -> f32 {
  return subgroupShuffle((*edges)[i / 8], i % 8);
}

// A row shifted by one: the pixel left of each lane, the first lane's from the list of edges.
fn from_left(row: f32, edges: ptr<function, array<f32, 3>>, r: u32, lane: u32) -> f32 {
  return select(subgroupShuffle(row, (lane + 7) % 8), edge(edges, 2 * r), lane == 0);
}

fn from_right(row: f32, edges: ptr<function, array<f32, 3>>, r: u32, lane: u32) -> f32 {
  return select(subgroupShuffle(row, (lane + 1) % 8), edge(edges, 2 * r + 1), lane == 7);
}

// B d: six rows of both tiles.
fn transform(d0: Pair, d1: Pair, d2: Pair, d3: Pair, d4: Pair, d5: Pair) -> Sums {
  let even = d4 - 4 * d2;
  let odd = d3 - 4 * d1;
  let even2 = d4 - d2;
  let odd2 = 2 * (d3 - d1);
  return Sums(
    4 * (d0 - d2) + even2, even + odd, even - odd, even2 + odd2, even2 - odd2, 4 * (d1 - d3) + d5 - d3,
  );
}

// Weight i of a channel's 144, which were loaded 32 to five vec4.
fn pick(list: ptr<function, array<vec4<f32>, 5>>, i: u32) -> f32 {
  return subgroupShuffle((*list)[i / 32][i % 4], i / 4 % 8);
}

// One output channel: `left`, `here` and `right` are the transforms of the three columns.
fn products(
  sums: Sums, left: Sums, here: Sums, right: Sums, list: ptr<function, array<vec4<f32>, 5>>, k: u32,
) -> Sums {
  return Sums(
    sums[0] + left[0] * pick(list, k) + here[0] * pick(list, 8 + k) + right[0] * pick(list, 16 + k),
    sums[1] + left[1] * pick(list, 24 + k) + here[1] * pick(list, 32 + k) + right[1] * pick(list, 40 + k),
    sums[2] + left[2] * pick(list, 48 + k) + here[2] * pick(list, 56 + k) + right[2] * pick(list, 64 + k),
    sums[3] + left[3] * pick(list, 72 + k) + here[3] * pick(list, 80 + k) + right[3] * pick(list, 88 + k),
    sums[4] + left[4] * pick(list, 96 + k) + here[4] * pick(list, 104 + k) + right[4] * pick(list, 112 + k),
    sums[5] + left[5] * pick(list, 120 + k) + here[5] * pick(list, 128 + k) + right[5] * pick(list, 136 + k),
  );
}

// A (sums), and writes one channel's column of 8 rows.
fn store(n: u32, k: u32, h: u32, w: u32, sums: Sums) {
  let plus = sums[1] + sums[2];
  let minus = sums[1] - sums[2];
  let plus2 = sums[3] + sums[4];
  let minus2 = sums[3] - sums[4];
  // Once, where epilogue() would load it for each row; with the last chunk only.
  let b = Pair(select(0.0, bias_of(k), size(19) != 0));
  let y0 = sums[0] + plus + plus2 + b;
  let y1 = minus + 2 * minus2 + b;
  let y2 = plus + 4 * plus2 + b;
  let y3 = minus + 8 * minus2 + sums[5] + b;

  let height = size(4);
  let width = size(5);
  let at = (k * height + h) * width + w;
  let place = size(10) + n * size(11) + at;
  let index = n * size(3) * height * width + at;
  store_value(h < height, place, y0[0], index);
  store_value(h + 1 < height, place + width, y1[0], index + width);
  store_value(h + 2 < height, place + 2 * width, y2[0], index + 2 * width);
  store_value(h + 3 < height, place + 3 * width, y3[0], index + 3 * width);
  store_value(h + 4 < height, place + 4 * width, y0[1], index + 4 * width);
  store_value(h + 5 < height, place + 5 * width, y1[1], index + 5 * width);
  store_value(h + 6 < height, place + 6 * width, y2[1], index + 6 * width);
  store_value(h + 7 < height, place + 7 * width, y3[1], index + 7 * width);
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let channels = size(0);
  let height = size(1);
  let width = size(2);
  let across = size(12); // tiles in a row of the output
  let tiles = size(13); // tiles of an image

  let tile = group.y;
  let n = tile / tiles;
  let h = tile % tiles / across * 8;
  let w = tile % across * 8;
  let image = size(8) + n * size(9);

  // Places do not change from channel to channel, so they are found once; these adapters do not do it by themselves.
  let top = h - size(6); // row and column of the window's corner in the input; may wrap below zero
  let left = w - size(7);
  let column = left + 1 + lane;
  // Edges are loaded with lanes as (row, side).
  let edge_row = top + lane / 2;
  let edge_column = left + lane % 2 * 9;
  let from_e0 = source(image, edge_row, edge_column, height, width);
  let from_e1 = source(image, edge_row + 4, edge_column, height, width);
  let from_e2 = source(image, edge_row + 8, edge_column, height, width);
  let from_0 = source(image, top, column, height, width);
  let from_1 = source(image, top + 1, column, height, width);
  let from_2 = source(image, top + 2, column, height, width);
  let from_3 = source(image, top + 3, column, height, width);
  let from_4 = source(image, top + 4, column, height, width);
  let from_5 = source(image, top + 5, column, height, width);
  let from_6 = source(image, top + 6, column, height, width);
  let from_7 = source(image, top + 7, column, height, width);
  let from_8 = source(image, top + 8, column, height, width);
  let from_9 = source(image, top + 9, column, height, width);
  let first = group.x * size(14) / 4;

  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var s4: Sums;
  var s5: Sums;
  var s6: Sums;
  var s7: Sums;
  for (var c = 0u; c < channels; c++) {
    let plane = c * height * width;
    var edges = array<f32, 3>(load(from_e0, plane), load(from_e1, plane), load(from_e2, plane));
    let c0 = load(from_0, plane);
    let c1 = load(from_1, plane);
    let c2 = load(from_2, plane);
    let c3 = load(from_3, plane);
    let c4 = load(from_4, plane);
    let c5 = load(from_5, plane);
    let c6 = load(from_6, plane);
    let c7 = load(from_7, plane);
    let c8 = load(from_8, plane);
    let c9 = load(from_9, plane);
    let l0 = from_left(c0, &edges, 0, lane);
    let l1 = from_left(c1, &edges, 1, lane);
    let l2 = from_left(c2, &edges, 2, lane);
    let l3 = from_left(c3, &edges, 3, lane);
    let l4 = from_left(c4, &edges, 4, lane);
    let l5 = from_left(c5, &edges, 5, lane);
    let l6 = from_left(c6, &edges, 6, lane);
    let l7 = from_left(c7, &edges, 7, lane);
    let l8 = from_left(c8, &edges, 8, lane);
    let l9 = from_left(c9, &edges, 9, lane);
    let r0 = from_right(c0, &edges, 0, lane);
    let r1 = from_right(c1, &edges, 1, lane);
    let r2 = from_right(c2, &edges, 2, lane);
    let r3 = from_right(c3, &edges, 3, lane);
    let r4 = from_right(c4, &edges, 4, lane);
    let r5 = from_right(c5, &edges, 5, lane);
    let r6 = from_right(c6, &edges, 6, lane);
    let r7 = from_right(c7, &edges, 7, lane);
    let r8 = from_right(c8, &edges, 8, lane);
    let r9 = from_right(c9, &edges, 9, lane);
    let vl = transform(Pair(l0, l4), Pair(l1, l5), Pair(l2, l6), Pair(l3, l7), Pair(l4, l8), Pair(l5, l9));
    let vc = transform(Pair(c0, c4), Pair(c1, c5), Pair(c2, c6), Pair(c3, c7), Pair(c4, c8), Pair(c5, c9));
    let vr = transform(Pair(r0, r4), Pair(r1, r5), Pair(r2, r6), Pair(r3, r7), Pair(r4, r8), Pair(r5, r9));
    // Lanes past the last weight read the next channel's; at the end of the buffer, the last.
    let at = first + c * 36 + lane;
    var list = array<vec4<f32>, 5>(
      weights[at], weights[at + 8], weights[at + 16], weights[at + 24], weights[min(at + 32, 4095)],
    );
    s0 = products(s0, vl, vc, vr, &list, 0);
    s1 = products(s1, vl, vc, vr, &list, 1);
    s2 = products(s2, vl, vc, vr, &list, 2);
    s3 = products(s3, vl, vc, vr, &list, 3);
    s4 = products(s4, vl, vc, vr, &list, 4);
    s5 = products(s5, vl, vc, vr, &list, 5);
    s6 = products(s6, vl, vc, vr, &list, 6);
    s7 = products(s7, vl, vc, vr, &list, 7);
  }

  // A loop over channels, which moves the next one's sums down each time, as in strips.wgsl.
  let first_channel = (size(17) + group.x) * 8;
  let valid = w + lane < size(5);
  for (var k = 0u; k < 8; k++) {
    if (valid && first_channel + k < size(3)) {
      store(n, first_channel + k, h, w + lane, s0);
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
