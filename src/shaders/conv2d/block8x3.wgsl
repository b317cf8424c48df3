// 3x3 convolution of stride 1, forward or input gradient, in large register blocks: 8 rows x 4 columns of 8 channels an invocation.
//
//   out[n,k,h,w] = epilogue( sum over c, r, s of in[n, c, h + r - pad_h, w + s - pad_w] * filter[k,c,r,s] )
//
// Why       For adapters on the CPU that are slow at all that strips.wgsl lives by (shuffles, uniform buffers): there a load costs
//           twenty multiply-adds and nothing but registers, or the stack behind them, can save it. An input channel
//           costs 60 pixels and 72 weights for 2304 multiply-adds, half the loads of block3x3.wgsl. A GPU has not the
//           registers for it.
// Mapping   one invocation, 64 vec4 of sums: a line is 4 pixels of 8 channels. Rows of the window are loaded one after the
//           other, each adding to three lines.
// Dispatch  (blocks of 8 channels, ceil(N * tiles / 64), 1) workgroups of 64.
// FLOPs     2 * N*K*C*9 * H*W.
// Bytes     4 * (in * ceil(K / 8) * 1.9 + out + filter * tiles), from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes,
//           lines3x3, epilogue_shared.

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>; // [block][C][9][8], see strips_pack.wgsl
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

fn load_taps(at: u32) -> Taps {
  return Taps(
    mat3x4(packed[at], packed[at + 2], packed[at + 4]),
    mat3x4(packed[at + 1], packed[at + 3], packed[at + 5]),
  );
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let tile = group.y * 64 + local;
  let channels = size(0);
  let across = size(12); // tiles in a row of the output
  let tiles = size(13); // of an image
  let n = tile / tiles;
  if (n >= size(16)) {
    return;
  }
  let h = tile % tiles / across * 8;
  let w = tile % across * 4;
  let top = h - size(6); // may wrap below zero
  let left = w - size(7);
  let image = size(8) + n * size(9);
  let height = size(1);
  let width = size(2);
  let step = height * width;
  let p0 = places(top, left, height, width);
  let p1 = places(top + 1, left, height, width);
  let p2 = places(top + 2, left, height, width);
  let p3 = places(top + 3, left, height, width);
  let p4 = places(top + 4, left, height, width);
  let p5 = places(top + 5, left, height, width);
  let p6 = places(top + 6, left, height, width);
  let p7 = places(top + 7, left, height, width);
  let p8 = places(top + 8, left, height, width);
  let p9 = places(top + 9, left, height, width);

  var s0 = Line();
  var s1 = Line();
  var s2 = Line();
  var s3 = Line();
  var s4 = Line();
  var s5 = Line();
  var s6 = Line();
  var s7 = Line();
  for (var c = 0u; c < channels; c++) {
    let plane = image + c * step;
    let at = (group.x * channels + c) * 18;
    let t0 = load_taps(at);
    let t1 = load_taps(at + 6);
    let t2 = load_taps(at + 12);
    let v0 = load_row(plane, p0);
    s0 = add(s0, v0, t0);
    let v1 = load_row(plane, p1);
    s0 = add(s0, v1, t1);
    s1 = add(s1, v1, t0);
    let v2 = load_row(plane, p2);
    s0 = add(s0, v2, t2);
    s1 = add(s1, v2, t1);
    s2 = add(s2, v2, t0);
    let v3 = load_row(plane, p3);
    s1 = add(s1, v3, t2);
    s2 = add(s2, v3, t1);
    s3 = add(s3, v3, t0);
    let v4 = load_row(plane, p4);
    s2 = add(s2, v4, t2);
    s3 = add(s3, v4, t1);
    s4 = add(s4, v4, t0);
    let v5 = load_row(plane, p5);
    s3 = add(s3, v5, t2);
    s4 = add(s4, v5, t1);
    s5 = add(s5, v5, t0);
    let v6 = load_row(plane, p6);
    s4 = add(s4, v6, t2);
    s5 = add(s5, v6, t1);
    s6 = add(s6, v6, t0);
    let v7 = load_row(plane, p7);
    s5 = add(s5, v7, t2);
    s6 = add(s6, v7, t1);
    s7 = add(s7, v7, t0);
    let v8 = load_row(plane, p8);
    s6 = add(s6, v8, t2);
    s7 = add(s7, v8, t1);
    let v9 = load_row(plane, p9);
    s7 = add(s7, v9, t2);
  }

  // A loop, though sums in an array are slower than in registers: written out, 256 stores with their epilogue take long to compile.
  var lines = array<Line, 8>(s0, s1, s2, s3, s4, s5, s6, s7);
  for (var i = 0u; i < 256; i++) {
    let row = i / 32;
    let k = (size(17) + group.x) * 8 + i % 8;
    let column = i / 8 % 4;
    if (k < size(3) && h + row < size(4) && w + column < size(5)) {
      let sum = select(lines[row].a[column][i % 4], lines[row].b[column][i % 4], i % 8 >= 4);
      let place = (k * size(4) + h + row) * size(5) + w + column;
      let index = n * size(3) * size(4) * size(5) + place;
      output[size(10) + n * size(11) + place] = activate(sum + bias_of(k), index);
    }
  }
}
