enable subgroups;

// 3x3 convolution of stride 1, forward or input gradient, for adapters that run on the CPU with subgroups of 8.
//
//   out[n,k,h,w] = epilogue( sum over c, r, s of in[n, c, h + r - pad_h, w + s - pad_w] * filter[k,c,r,s] )
//
// Why       Such an adapter turns a storage load into a scalar load a lane, each with tests of its own: a hundred instructions
//           for a vector. A multiply-add is two, a shuffle between lanes one. So: load each value once, as a whole vector of
//           different values, and get all the rest by shuffles. A neighbour's pixel comes from the lane beside; a weight,
//           the same for all lanes, is broadcast from the lane that loaded it. Weights come as vec4 from a uniform
//           buffer, whose loads are a third of the code: with weights from storage this kernel ran at 70% of its speed.
// Mapping   A subgroup computes 8 columns x 8 rows x 8 output channels: a lane holds one column of 8 rows for 8 channels, 64
//           sums. For each input channel: 10 rows of 8 pixels, their 20 edge pixels and 72 weights are loaded, 16
//           vectors; 576 multiply-adds a lane use them. More channels or rows would save loads, but their code no longer
//           fits the first-level cache: 12 and 16 channels were 10% slower.
// Unrolled  Every index is a literal once inlined, so sums and window live in registers; taps are innermost, so that a
//           sum is fetched once for nine multiply-adds. Rows are kept as mat2x4: one statement is 8 rows.
// Chunks    A uniform buffer has 64 KiB, the weights of 227 input channels: a layer with more takes several launches,
//           each adding to what the one before left in `output`; the last applies the epilogue.
// Dispatch  (blocks of 8 channels in `weights`, ceil(tiles / 4), 1) workgroups of 8 x 4: a tile a row of the workgroup.
// FLOPs     2 * N*K*C*9 * H*W.
// Bytes     4 * (in * ceil(K / 8) * 1.6 + out + filter * tiles), from caches mostly; in + filter + out from memory.
// Consts    CHUNKS: launches that add up. Sizes come from sizes.wgsl, for this is a long kernel to compile, and so one pipeline serves all layers.
// Pieces    sizes, epilogue_shared, strips_store.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, 4096>; // [blocks][C][9][8]
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

alias Rows = mat2x4<f32>;

// One input value, zero outside the image. Unsigned: above and left of it the index wraps round to a huge one.
// `&`, for `&&` is a branch, and SwiftShader compiles in a time that doubles with each branch in a row.
fn pixel(plane: u32, h: u32, w: u32, height: u32, width: u32) -> f32 {
  let inside = (h < height) & (w < width);
  return select(0.0, f32(input[select(0, plane + h * width + w, inside)]), inside);
}

// Value i of the edges, which were loaded 8 to a vector.
fn edge(edges: ptr<function, array<f32, 3>>, i: u32) -> f32 {
  return subgroupShuffle((*edges)[i / 8], i % 8);
}

// Weight i of a channel's 72, which were loaded 32 to three vec4.
fn pick(list: ptr<function, array<vec4<f32>, 3>>, i: u32) -> f32 {
  return subgroupShuffle((*list)[i / 32][i % 4], i / 4 % 8);
}

// One output channel: nine taps on eight rows.
fn taps(sum: Rows, window: ptr<function, array<Rows, 9>>, list: ptr<function, array<vec4<f32>, 3>>, k: u32) -> Rows {
  var a = sum;
  a += (*window)[0] * pick(list, k);
  a += (*window)[1] * pick(list, 8 + k);
  a += (*window)[2] * pick(list, 16 + k);
  a += (*window)[3] * pick(list, 24 + k);
  a += (*window)[4] * pick(list, 32 + k);
  a += (*window)[5] * pick(list, 40 + k);
  a += (*window)[6] * pick(list, 48 + k);
  a += (*window)[7] * pick(list, 56 + k);
  a += (*window)[8] * pick(list, 64 + k);
  return a;
}

// A row shifted by one: the pixel left of each lane, the first lane's from the list of edges.
fn from_left(row: f32, edges: ptr<function, array<f32, 3>>, r: u32, lane: u32) -> f32 {
  return select(subgroupShuffle(row, (lane + 7) % 8), edge(edges, 2 * r), lane == 0);
}

fn from_right(row: f32, edges: ptr<function, array<f32, 3>>, r: u32, lane: u32) -> f32 {
  return select(subgroupShuffle(row, (lane + 1) % 8), edge(edges, 2 * r + 1), lane == 7);
}

// Writes one channel's column of 8 rows.
fn store(n: u32, k: u32, h: u32, w: u32, rows: Rows) {
  let channels = size(3);
  let height = size(4);
  let width = size(5);
  let at = (k * height + h) * width + w;
  let place = size(10) + n * size(11) + at;
  let index = n * channels * height * width + at;
  // Once, where epilogue() would load it for each row; with the last chunk only.
  let b = select(0.0, bias_of(k), size(19) != 0);
  store_value(h < height, place, rows[0][0] + b, index);
  store_value(h + 1 < height, place + width, rows[0][1] + b, index + width);
  store_value(h + 2 < height, place + 2 * width, rows[0][2] + b, index + 2 * width);
  store_value(h + 3 < height, place + 3 * width, rows[0][3] + b, index + 3 * width);
  store_value(h + 4 < height, place + 4 * width, rows[1][0] + b, index + 4 * width);
  store_value(h + 5 < height, place + 5 * width, rows[1][1] + b, index + 5 * width);
  store_value(h + 6 < height, place + 6 * width, rows[1][2] + b, index + 6 * width);
  store_value(h + 7 < height, place + 7 * width, rows[1][3] + b, index + 7 * width);
}

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let channels = size(0);
  let height = size(1);
  let width = size(2);
  let across = size(12); // tiles in a row of the output
  let tiles = size(13); // tiles of an image

  let tile = group.y * 4 + id.y;
  let n = tile / tiles;
  let h = tile % tiles / across * 8;
  let w = tile % across * 8;

  let top = h - size(6); // row and column of the window's corner in the input; may wrap below zero
  let left = w - size(7);
  let column = left + 1 + lane;
  // Edges are loaded with lanes as (row, side).
  let edge_row = top + lane / 2;
  let edge_column = left + lane % 2 * 9;

  let first = group.x * size(14) / 4;
  // A tile past the last reads the last image again rather than leave: all lanes must take part in shuffles.
  let image = size(8) + min(n, size(16) - 1) * size(9);

  var a0 = Rows();
  var a1 = Rows();
  var a2 = Rows();
  var a3 = Rows();
  var a4 = Rows();
  var a5 = Rows();
  var a6 = Rows();
  var a7 = Rows();
  for (var c = 0u; c < channels; c++) {
    let plane = image + c * height * width;
    var edges = array<f32, 3>(
      pixel(plane, edge_row, edge_column, height, width),
      pixel(plane, edge_row + 4, edge_column, height, width),
      pixel(plane, edge_row + 8, edge_column, height, width),
    );
    let c0 = pixel(plane, top, column, height, width);
    let c1 = pixel(plane, top + 1, column, height, width);
    let c2 = pixel(plane, top + 2, column, height, width);
    let c3 = pixel(plane, top + 3, column, height, width);
    let c4 = pixel(plane, top + 4, column, height, width);
    let c5 = pixel(plane, top + 5, column, height, width);
    let c6 = pixel(plane, top + 6, column, height, width);
    let c7 = pixel(plane, top + 7, column, height, width);
    let c8 = pixel(plane, top + 8, column, height, width);
    let c9 = pixel(plane, top + 9, column, height, width);
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
    var window = array<Rows, 9>(
      Rows(l0, l1, l2, l3, l4, l5, l6, l7),
      Rows(c0, c1, c2, c3, c4, c5, c6, c7),
      Rows(r0, r1, r2, r3, r4, r5, r6, r7),
      Rows(l1, l2, l3, l4, l5, l6, l7, l8),
      Rows(c1, c2, c3, c4, c5, c6, c7, c8),
      Rows(r1, r2, r3, r4, r5, r6, r7, r8),
      Rows(l2, l3, l4, l5, l6, l7, l8, l9),
      Rows(c2, c3, c4, c5, c6, c7, c8, c9),
      Rows(r2, r3, r4, r5, r6, r7, r8, r9),
    );
    // Lanes past the last weight read the next channel's; at the end of the buffer, the last.
    let at = first + c * 18 + lane;
    var list = array<vec4<f32>, 3>(weights[at], weights[at + 8], weights[min(at + 16, 4095)]);
    a0 = taps(a0, &window, &list, 0);
    a1 = taps(a1, &window, &list, 1);
    a2 = taps(a2, &window, &list, 2);
    a3 = taps(a3, &window, &list, 3);
    a4 = taps(a4, &window, &list, 4);
    a5 = taps(a5, &window, &list, 5);
    a6 = taps(a6, &window, &list, 6);
    a7 = taps(a7, &window, &list, 7);
  }

  // A loop over channels, which moves the next one's sums down each time: 64 epilogues written out take seconds to
  // compile, and sums in an array indexed by a variable would lie in memory.
  let first_channel = (size(17) + group.x) * 8;
  let valid = n < size(16) && w + lane < size(5);
  for (var k = 0u; k < 8; k++) {
    if (valid && first_channel + k < size(3)) {
      store(n, first_channel + k, h, w + lane, a0);
    }
    a0 = a1;
    a1 = a2;
    a2 = a3;
    a3 = a4;
    a4 = a5;
    a5 = a6;
    a6 = a7;
  }
}
