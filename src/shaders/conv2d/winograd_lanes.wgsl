enable subgroups;

// 3x3 convolution of stride 1, forward or input gradient, for adapters that run on the CPU with subgroups of 8:
// winograd_strips.wgsl with lanes as output channels instead of columns.
//
//   out[n,k,h,w] = epilogue( sum over c, r, s of in[n, c, h + r - pad_h, w + s - pad_w] * filter[k,c,r,s] )
//
// Idea      Pixels are loaded side by side, transformed there, and then broadcast from their lane; weights stay where they
//           were loaded, one output channel a lane. A broadcast pixel serves three columns of 16 output channels, a
//           broadcast weight served two rows: 120 shuffles for 1152 products instead of 288 for as many, and 13 loads
//           of pixels instead of 26. Nothing is shifted to neighbours either.
// Mapping   A subgroup computes 8 columns x 8 rows x 16 output channels: a lane holds two channels, 8 apart or more, of two
//           F(4,3) tiles in each column, 192 sums. For each input channel: 10 rows of 8 pixels and the 20 pixels of two
//           more columns, three of whose rows are loaded at a time, with each tile's where its transform needs them;
//           the nine taps of two filters, transformed here (two vec4 and a word each from a uniform buffer: its loads
//           cost the more the more words they have); 576 multiply-adds a lane.
// Order     Tile by tile and row by row: six transformed taps, a window of three pixels and two sums fit the registers.
//           With both tiles at once a third more values went through memory.
// Code      A loop's round is 23 KB, below the first-level cache for instructions (32 KB). Three blocks of channels, or
//           taps by a component that is known only at run time, which loads all four, would be past it: with 35 KB
//           nothing was gained over winograd_strips.wgsl.
// Chunks    A uniform buffer of 64 KiB has the weights of 170 input channels, one block of 8 output channels: a layer with
//           more takes several launches (CHUNKS), each adding to what the one before left in `output`; the last
//           applies the epilogue.
// Dispatch  (pairs of blocks in `weights`, tiles, 1) workgroups of 8: neighbours share pixels.
// FLOPs     N*K*C*9 * H*W, half of the direct algorithm's, beside the transforms.
// Bytes     4 * (in * ceil(K / 16) * 1.6 + out + filter * tiles), from caches mostly; in + filter + out from memory.
// Consts    CHUNKS: launches that add up. Sizes come from sizes.wgsl, so that one pipeline serves all layers.
// Pieces    sizes, epilogue_shared, strips_pixels, strips_store, lanes_pair, or lanes_single, which has one block of 8 output
//           channels: for layers that would leave the second empty.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

// Eight columns of a row of the output in the transform's domain.
alias Row = array<Each, 8>;
// A column of a tile or of a filter in the transform's domain.
alias Six = array<f32, 6>;
alias SixEach = array<Each, 6>;

// B d.
fn transform(d0: f32, d1: f32, d2: f32, d3: f32, d4: f32, d5: f32) -> Six {
  let even = d4 - 4 * d2;
  let odd = d3 - 4 * d1;
  let even2 = d4 - d2;
  let odd2 = 2 * (d3 - d1);
  return Six(
    4 * (d0 - d2) + even2, even + odd, even - odd, even2 + odd2, even2 - odd2, 4 * (d1 - d3) + d5 - d3,
  );
}

// G g.
fn transform_filter(g0: Each, g1: Each, g2: Each) -> SixEach {
  let even = (g0 + g2) * (1.0 / 6);
  let odd = g1 * (1.0 / 6);
  let even2 = g0 * (1.0 / 24) + g2 * (1.0 / 6);
  let odd2 = g1 * (1.0 / 12);
  return SixEach(g0 * 0.25, -even - odd, odd - even, even2 + odd2, even2 - odd2, g2);
}

// One row of a tile: `v` has its columns 0 to 7 in lanes 0 to 7, `e` its columns 8 and 9 in lanes `at` and `at + 1`.
fn products(sums: Row, v: f32, e: f32, at: u32, u0: Each, u1: Each, u2: Each) -> Row {
  let b0 = subgroupShuffle(v, 0);
  let b1 = subgroupShuffle(v, 1);
  let b2 = subgroupShuffle(v, 2);
  let b3 = subgroupShuffle(v, 3);
  let b4 = subgroupShuffle(v, 4);
  let b5 = subgroupShuffle(v, 5);
  let b6 = subgroupShuffle(v, 6);
  let b7 = subgroupShuffle(v, 7);
  let b8 = subgroupShuffle(e, at);
  let b9 = subgroupShuffle(e, at + 1);
  return Row(
    sums[0] + b0 * u0 + b1 * u1 + b2 * u2,
    sums[1] + b1 * u0 + b2 * u1 + b3 * u2,
    sums[2] + b2 * u0 + b3 * u1 + b4 * u2,
    sums[3] + b3 * u0 + b4 * u1 + b5 * u2,
    sums[4] + b4 * u0 + b5 * u1 + b6 * u2,
    sums[5] + b5 * u0 + b6 * u1 + b7 * u2,
    sums[6] + b6 * u0 + b7 * u1 + b8 * u2,
    sums[7] + b7 * u0 + b8 * u1 + b9 * u2,
  );
}

// The next column first.
fn shifted(r: Row) -> Row {
  return Row(r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[7]);
}

fn six_of_block(s: SixEach, i: u32) -> Six {
  return Six(
    of_block(s[0], i), of_block(s[1], i), of_block(s[2], i), of_block(s[3], i), of_block(s[4], i), of_block(s[5], i),
  );
}

// A (sums) of a tile: four rows of one channel and column.
fn store(valid: bool, rows: vec4<bool>, place: u32, width: u32, index: u32, b: f32, s: Six) {
  let plus = s[1] + s[2];
  let minus = s[1] - s[2];
  let plus2 = s[3] + s[4];
  let minus2 = s[3] - s[4];
  store_value(valid & rows[0], place, s[0] + plus + plus2 + b, index);
  store_value(valid & rows[1], place + width, minus + 2 * minus2 + b, index + width);
  store_value(valid & rows[2], place + 2 * width, plus + 4 * plus2 + b, index + 2 * width);
  store_value(valid & rows[3], place + 3 * width, minus + 8 * minus2 + s[5] + b, index + 3 * width);
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

  let top = h - size(6); // row and column of the window's corner in the input; may wrap below zero
  let left = w - size(7);
  let column = left + lane;
  // The window's last two columns: lanes are (row or the next, tile, side).
  let edge_row = top + lane / 4 + lane / 2 % 2 * 4;
  let edge_column = left + 8 + lane % 2;
  let from_e0 = source(image, edge_row, edge_column, height, width);
  let from_e2 = source(image, edge_row + 2, edge_column, height, width);
  let from_e4 = source(image, edge_row + 4, edge_column, height, width);
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
  let first = group.x * size(14) / 4 + lane;
  let up = (lane + 4) % 8;

  var s0: Row;
  var s1: Row;
  var s2: Row;
  var s3: Row;
  var s4: Row;
  var s5: Row;
  var s6: Row;
  var s7: Row;
  var s8: Row;
  var s9: Row;
  var s10: Row;
  var s11: Row;
  for (var c = 0u; c < channels; c++) {
    let plane = c * height * width;
    let e0 = load(from_e0, plane);
    let e2 = load(from_e2, plane);
    let e4 = load(from_e4, plane);
    let d0 = load(from_0, plane);
    let d1 = load(from_1, plane);
    let d2 = load(from_2, plane);
    let d3 = load(from_3, plane);
    let d4 = load(from_4, plane);
    let d5 = load(from_5, plane);
    let d6 = load(from_6, plane);
    let d7 = load(from_7, plane);
    let d8 = load(from_8, plane);
    let d9 = load(from_9, plane);
    let v = transform(d0, d1, d2, d3, d4, d5);
    let w = transform(d4, d5, d6, d7, d8, d9);
    let e = transform(
      e0, subgroupShuffle(e0, up), e2, subgroupShuffle(e2, up), e4, subgroupShuffle(e4, up),
    );
    let g = taps(first + c * 24);
    let u0 = transform_filter(g[0], g[3], g[6]);
    let u1 = transform_filter(g[1], g[4], g[7]);
    let u2 = transform_filter(g[2], g[5], g[8]);
    s0 = products(s0, v[0], e[0], 0, u0[0], u1[0], u2[0]);
    s6 = products(s6, w[0], e[0], 2, u0[0], u1[0], u2[0]);
    s1 = products(s1, v[1], e[1], 0, u0[1], u1[1], u2[1]);
    s7 = products(s7, w[1], e[1], 2, u0[1], u1[1], u2[1]);
    s2 = products(s2, v[2], e[2], 0, u0[2], u1[2], u2[2]);
    s8 = products(s8, w[2], e[2], 2, u0[2], u1[2], u2[2]);
    s3 = products(s3, v[3], e[3], 0, u0[3], u1[3], u2[3]);
    s9 = products(s9, w[3], e[3], 2, u0[3], u1[3], u2[3]);
    s4 = products(s4, v[4], e[4], 0, u0[4], u1[4], u2[4]);
    s10 = products(s10, w[4], e[4], 2, u0[4], u1[4], u2[4]);
    s5 = products(s5, v[5], e[5], 0, u0[5], u1[5], u2[5]);
    s11 = products(s11, w[5], e[5], 2, u0[5], u1[5], u2[5]);
  }

  let out_height = size(4);
  let out_width = size(5);
  let out_channels = size(3);
  let step = out_height * out_width;
  let first_channel = (size(17) + group.x) * 8 + lane;
  let second = size(15) * 8; // from the first block's channels to the second's
  let there = first_channel < out_channels;
  let there2 = first_channel + second < out_channels;
  var b = Each();
  if (size(19) != 0) {
    b = each(bias_of(select(0, first_channel, there)), bias_of(select(0, first_channel + second, there2)));
  }
  let rows = vec4<bool>(h < out_height, h + 1 < out_height, h + 2 < out_height, h + 3 < out_height);
  let rows2 = vec4<bool>(h + 4 < out_height, h + 5 < out_height, h + 6 < out_height, h + 7 < out_height);
  let inside = first_channel * step + h * out_width + w;
  let down = 4 * out_width; // from the first tile to the second
  let deep = second * step; // from the first channel to the second
  let end = min(8, out_width - w);
  // A loop over columns, which moves the next one's sums down each time, as in strips.wgsl.
  for (var j = 0u; j < end; j++) {
    let place = size(10) + n * size(11) + inside + j;
    let index = n * out_channels * step + inside + j;
    let top_sums = SixEach(s0[0], s1[0], s2[0], s3[0], s4[0], s5[0]);
    let low_sums = SixEach(s6[0], s7[0], s8[0], s9[0], s10[0], s11[0]);
    store(there, rows, place, out_width, index, of_block(b, 0), six_of_block(top_sums, 0));
    store(there, rows2, place + down, out_width, index + down, of_block(b, 0), six_of_block(low_sums, 0));
    if (BLOCKS > 1) {
      store(there2, rows, place + deep, out_width, index + deep, of_block(b, 1), six_of_block(top_sums, 1));
      store(there2, rows2, place + deep + down, out_width, index + deep + down, of_block(b, 1), six_of_block(low_sums, 1));
    }
    s0 = shifted(s0);
    s1 = shifted(s1);
    s2 = shifted(s2);
    s3 = shifted(s3);
    s4 = shifted(s4);
    s5 = shifted(s5);
    s6 = shifted(s6);
    s7 = shifted(s7);
    s8 = shifted(s8);
    s9 = shifted(s9);
    s10 = shifted(s10);
    s11 = shifted(s11);
  }
}
