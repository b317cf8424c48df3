enable subgroups;

// 3x3 convolution of stride 1, forward or input gradient, in register blocks that the four lanes of a quad load for each other:
// 8 rows x 8 columns of 16 channels a quad.
//
//   out[n,k,h,w] = epilogue( sum over c, r, s of in[n, c, h + r - pad_h, w + s - pad_w] * filter[k,c,r,s] )
//
// Why       For adapters on the CPU with subgroups of 4, where a load costs twenty multiply-adds, a shuffle five, but a swap
//           within a quad next to nothing. So of the 72 pixels and 72 weights that a lane needs for 2304 multiply-adds it
//           loads half; block8x3.wgsl loads 60 and 72.
// Mapping   A lane is (tile, group): two tiles of 8 rows x 4 columns side by side, two groups of 8 channels. It loads the window
//           of one half of its tile and has that of the other half from the lane of the other group (quadSwapX), and
//           loads the weights of one half of its group and has the others from the lane of the other tile
//           (quadSwapY). Which half comes first differs from lane to lane, which matters to the store alone.
//           64 vec4 of sums: a line is 4 pixels of 8 channels, as in block8x3.wgsl.
// Dispatch  (blocks of 16 channels, ceil(N * tiles / 16), 1) workgroups of 4 x 16: a quad a row of the workgroup.
// FLOPs     2 * N*K*C*9 * H*W.
// Bytes     4 * (in * ceil(K / 16) * 2.25 + out + filter * tiles), from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes,
//           lines3x3, epilogue_shared.

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>; // [block][C][9][8], see strips_pack.wgsl
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// Of this lane's half of the group, then of the other.
fn load_taps(at: u32) -> Taps {
  let v0 = packed[at];
  let v1 = packed[at + 2];
  let v2 = packed[at + 4];
  return Taps(mat3x4(v0, v1, v2), mat3x4(quadSwapY(v0), quadSwapY(v1), quadSwapY(v2)));
}

// The same row of the other half of the tile.
fn other(v: Row) -> Row {
  return Row(quadSwapX(v.left), quadSwapX(v.right));
}

// A value at `at` of an image: where the image begins in `output`, and where without gaps.
fn store(image: vec2<u32>, at: u32, v: f32) {
  output[image.x + at] = activate(v, image.y + at);
}

// Four pixels of four channels, `plane` apart. No branch: SwiftShader compiles in a time that doubles with each one in a row.
fn store_all(image: vec2<u32>, at: u32, plane: u32, sums: mat4x4<f32>) {
  let places = at + vec4<u32>(0, 1, 2, 3) * plane;
  store_four(image, places, sums[0]);
  store_four(image, places + 1, sums[1]);
  store_four(image, places + 2, sums[2]);
  store_four(image, places + 3, sums[3]);
}

fn store_four(image: vec2<u32>, at: vec4<u32>, v: vec4<f32>) {
  store(image, at.x, v.x);
  store(image, at.y, v.y);
  store(image, at.z, v.z);
  store(image, at.w, v.w);
}

// The same where only so many columns and channels are there.
fn store_some(image: vec2<u32>, at: u32, plane: u32, v: mat4x4<f32>, columns: u32, channels: u32) {
  var sums = v;
  for (var column = 0u; column < columns; column++) {
    for (var k = 0u; k < channels; k++) {
      store(image, at + column + k * plane, sums[0].x);
      sums[0] = sums[0].yzww;
    }
    sums = mat4x4(sums[1], sums[2], sums[3], sums[3]);
  }
}

@compute @workgroup_size(4, 16)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let group = id.x % 2;
  let side = id.x / 2;
  let channels = size(0);
  let across = size(12); // tiles of a quad in a row of the output
  let tiles = size(13); // of an image
  let tile = group_id.y * 16 + id.y;
  let n = tile / tiles;
  let h = tile % tiles / across * 8;
  let w = tile % across * 8 + side * 4;
  let top = h + group * 4 - size(6); // may wrap below zero
  let left = w - size(7);
  // Past the last image the last is read again rather than leave: all lanes must take part in swaps.
  let image = size(8) + min(n, size(16) - 1) * size(9);
  let height = size(1);
  let width = size(2);
  let step = height * width;
  let p0 = places(top, left, height, width);
  let p1 = places(top + 1, left, height, width);
  let p2 = places(top + 2, left, height, width);
  let p3 = places(top + 3, left, height, width);
  let p4 = places(top + 4, left, height, width);
  let p5 = places(top + 5, left, height, width);

  // Lines of this lane's half of the tile, then of the other.
  var s0 = Line();
  var s1 = Line();
  var s2 = Line();
  var s3 = Line();
  var s4 = Line();
  var s5 = Line();
  var s6 = Line();
  var s7 = Line();
  let block = group_id.x * 2 + group;
  for (var c = 0u; c < channels; c++) {
    let plane = image + c * step;
    let at = (block * channels + c) * 18 + side;
    let t0 = load_taps(at);
    let t1 = load_taps(at + 6);
    let t2 = load_taps(at + 12);
    let v0 = load_row(plane, p0);
    let o0 = other(v0);
    s0 = add(s0, v0, t0);
    s4 = add(s4, o0, t0);
    let v1 = load_row(plane, p1);
    let o1 = other(v1);
    s0 = add(s0, v1, t1);
    s1 = add(s1, v1, t0);
    s4 = add(s4, o1, t1);
    s5 = add(s5, o1, t0);
    let v2 = load_row(plane, p2);
    let o2 = other(v2);
    s0 = add(s0, v2, t2);
    s1 = add(s1, v2, t1);
    s2 = add(s2, v2, t0);
    s4 = add(s4, o2, t2);
    s5 = add(s5, o2, t1);
    s6 = add(s6, o2, t0);
    let v3 = load_row(plane, p3);
    let o3 = other(v3);
    s1 = add(s1, v3, t2);
    s2 = add(s2, v3, t1);
    s3 = add(s3, v3, t0);
    s5 = add(s5, o3, t2);
    s6 = add(s6, o3, t1);
    s7 = add(s7, o3, t0);
    let v4 = load_row(plane, p4);
    let o4 = other(v4);
    s2 = add(s2, v4, t2);
    s3 = add(s3, v4, t1);
    s6 = add(s6, o4, t2);
    s7 = add(s7, o4, t1);
    let v5 = load_row(plane, p5);
    let o5 = other(v5);
    s3 = add(s3, v5, t2);
    s7 = add(s7, o5, t2);
  }

  // A loop that moves what comes next down, for an array of sums indexed by a variable is slow; written out, 256 stores with
  // their epilogue take long to compile.
  let out_channels = size(3);
  let out_height = size(4);
  let out_width = size(5);
  let out_plane = out_height * out_width;
  let image_out = vec2(size(10) + n * size(11), n * out_channels * out_plane);
  let k_a = (size(17) + block) * 8 + side * 4;
  let k_b = (size(17) + block) * 8 + (1 - side) * 4;
  let bias_a = vec4(bias_of(k_a), bias_of(k_a + 1), bias_of(k_a + 2), bias_of(k_a + 3));
  let bias_b = vec4(bias_of(k_b), bias_of(k_b + 1), bias_of(k_b + 2), bias_of(k_b + 3));
  // How many of four there are.
  let columns = min(max(out_width, w) - w, select(0u, 4u, n < size(16)));
  let there_a = min(max(out_channels, k_a) - k_a, 4);
  let there_b = min(max(out_channels, k_b) - k_b, 4);
  let all = columns + there_a + there_b == 12;
  for (var i = 0u; i < 8; i++) {
    let row = h + i % 4 + (group ^ (i / 4)) * 4;
    let at = row * out_width + w;
    let a = s0.a + mat4x4(bias_a, bias_a, bias_a, bias_a);
    let b = s0.b + mat4x4(bias_b, bias_b, bias_b, bias_b);
    if (all & (row < out_height)) {
      store_all(image_out, at + k_a * out_plane, out_plane, a);
      store_all(image_out, at + k_b * out_plane, out_plane, b);
    } else if (row < out_height) {
      store_some(image_out, at + k_a * out_plane, out_plane, a, columns, there_a);
      store_some(image_out, at + k_b * out_plane, out_plane, b, columns, there_b);
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
