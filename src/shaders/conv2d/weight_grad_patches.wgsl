enable subgroups;

// Weight gradient of a convolution without padding as a matrix product, for adapters that run on the CPU.
//
//   gw[k,m] = sum over p of gy[gy_base(p) + k * OH*OW] * x[x_base(p) + step[m]]       m = (c, tap), p = pixels of y
//
// Why       As weight_grad_strips.wgsl: gy is loaded with lanes as output channels, x with lanes as pixels and broadcast.
// Mapping   A subgroup of 8 lanes computes 16 output channels x 16 values of m; a lane holds 16 sums for each of two channels.
//           Eight pixels at a time: 16 loads of gy, 16 of x and 128 shuffles give 256 multiply-adds a lane. With one channel
//           a lane they give half of that.
// Division  of whole numbers goes lane by lane here: where a pixel lies is found once and then carried on.
// Split     Pixels are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Dispatch  (ceil(parts * ceil(M / 16) / 4), ceil(K / 16), 1) workgroups of 8 x 4.
// FLOPs     2 * P*K*M.
// Bytes     4 * (x * KH*KW / (SH*SW) * ceil(K / 16) + gy * ceil(M / 16) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][M]

// Address of (c, tap) in x.
fn tap_step(m: u32) -> u32 {
  let taps = size(6) * size(7);
  let tap = m % taps;
  return m / taps * size(10) + tap / size(7) * size(8) + tap % size(7) * size(9);
}

// Where a pixel lies: image, row, column.
struct Pixel {
  n: u32,
  h: u32,
  w: u32,
}

fn pixel(p: u32) -> Pixel {
  let width = size(4);
  let rows = p / width;
  return Pixel(rows / size(3), rows % size(3), p % width);
}

// Pixel number p + q.
fn advance(p: Pixel, q: Pixel) -> Pixel {
  let w = p.w + q.w;
  let more_rows = u32(w >= size(4));
  let h = p.h + q.h + more_rows;
  let more_images = u32(h >= size(3));
  return Pixel(p.n + q.n + more_images, h - more_images * size(3), w - more_rows * size(4));
}

// Its part of an address: `at` is where batch, row and column steps stand in `sizes`.
fn base(p: Pixel, at: u32) -> u32 {
  return p.n * size(at) + p.h * size(at + 1) + p.w * size(at + 2);
}

// gy of a lane's two output channels at eight pixels.
struct Slopes {
  near: array<f32, 8>,
  far: array<f32, 8>,
}

// gy at the pixel that lane `j` has, zero past the last pixel.
fn slope(plane: u32, at: u32, valid: f32, j: u32) -> f32 {
  return f32(gy[plane + subgroupShuffle(at, j)]) * subgroupShuffle(valid, j);
}

fn load_slopes(plane: u32, at: u32, valid: f32) -> array<f32, 8> {
  return array<f32, 8>(
    slope(plane, at, valid, 0), slope(plane, at, valid, 1), slope(plane, at, valid, 2), slope(plane, at, valid, 3),
    slope(plane, at, valid, 4), slope(plane, at, valid, 5), slope(plane, at, valid, 6), slope(plane, at, valid, 7),
  );
}

// One value of m for both channels: eight pixels, of which each lane holds one of x. Sum by sum, so that a sum meets all eight
// while it is in a register.
fn add(sum: vec2<f32>, g: ptr<function, Slopes>, v: f32) -> vec2<f32> {
  var s = sum;
  s += vec2((*g).near[0], (*g).far[0]) * subgroupShuffle(v, 0);
  s += vec2((*g).near[1], (*g).far[1]) * subgroupShuffle(v, 1);
  s += vec2((*g).near[2], (*g).far[2]) * subgroupShuffle(v, 2);
  s += vec2((*g).near[3], (*g).far[3]) * subgroupShuffle(v, 3);
  s += vec2((*g).near[4], (*g).far[4]) * subgroupShuffle(v, 4);
  s += vec2((*g).near[5], (*g).far[5]) * subgroupShuffle(v, 5);
  s += vec2((*g).near[6], (*g).far[6]) * subgroupShuffle(v, 6);
  s += vec2((*g).near[7], (*g).far[7]) * subgroupShuffle(v, 7);
  return s;
}

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let columns = size(0); // M
  let out_channels = size(1);
  let pixels = size(2);
  let run = size(18); // pixels of a part, a multiple of 8
  let parts = size(19);
  let blocks = (columns + 15) / 16;
  let tile = group.x * 4 + id.y;
  let part = tile / blocks;
  let m = tile % blocks * 16;
  let k = group.y * 16 + lane;
  let planes = size(17) + min(vec2(k, k + 8), vec2(out_channels - 1)) * (size(3) * size(4));

  // Steps of the sixteen m, of which those past the last repeat it and are not stored: each lane finds two.
  let low = tap_step(min(m + lane, columns - 1));
  let high = tap_step(min(m + 8 + lane, columns - 1));
  let t0 = size(14) + subgroupShuffle(low, 0);
  let t1 = size(14) + subgroupShuffle(low, 1);
  let t2 = size(14) + subgroupShuffle(low, 2);
  let t3 = size(14) + subgroupShuffle(low, 3);
  let t4 = size(14) + subgroupShuffle(low, 4);
  let t5 = size(14) + subgroupShuffle(low, 5);
  let t6 = size(14) + subgroupShuffle(low, 6);
  let t7 = size(14) + subgroupShuffle(low, 7);
  let t8 = size(14) + subgroupShuffle(high, 0);
  let t9 = size(14) + subgroupShuffle(high, 1);
  let t10 = size(14) + subgroupShuffle(high, 2);
  let t11 = size(14) + subgroupShuffle(high, 3);
  let t12 = size(14) + subgroupShuffle(high, 4);
  let t13 = size(14) + subgroupShuffle(high, 5);
  let t14 = size(14) + subgroupShuffle(high, 6);
  let t15 = size(14) + subgroupShuffle(high, 7);
  var sums: array<vec2<f32>, 16>;
  var at = pixel(part * run + lane);
  let eight = pixel(8);
  for (var i = 0u; i < run; i += 8) {
    // Past the last pixel any is read, times zero.
    let there = part * run + i + lane < pixels;
    let q = Pixel(select(0, at.n, there), at.h, at.w);
    let valid = f32(there);
    let source = base(q, 20);
    var g = Slopes(load_slopes(planes.x, source, valid), load_slopes(planes.y, source, valid));
    let image = base(q, 11);
    sums[0] = add(sums[0], &g, f32(x[image + t0]));
    sums[1] = add(sums[1], &g, f32(x[image + t1]));
    sums[2] = add(sums[2], &g, f32(x[image + t2]));
    sums[3] = add(sums[3], &g, f32(x[image + t3]));
    sums[4] = add(sums[4], &g, f32(x[image + t4]));
    sums[5] = add(sums[5], &g, f32(x[image + t5]));
    sums[6] = add(sums[6], &g, f32(x[image + t6]));
    sums[7] = add(sums[7], &g, f32(x[image + t7]));
    sums[8] = add(sums[8], &g, f32(x[image + t8]));
    sums[9] = add(sums[9], &g, f32(x[image + t9]));
    sums[10] = add(sums[10], &g, f32(x[image + t10]));
    sums[11] = add(sums[11], &g, f32(x[image + t11]));
    sums[12] = add(sums[12], &g, f32(x[image + t12]));
    sums[13] = add(sums[13], &g, f32(x[image + t13]));
    sums[14] = add(sums[14], &g, f32(x[image + t14]));
    sums[15] = add(sums[15], &g, f32(x[image + t15]));
    at = advance(at, eight);
  }
  // A loop that moves what comes next down, for an array indexed by a variable is slow.
  let origin = size(16) + (part * out_channels + k) * columns + m;
  for (var i = 0u; i < 16; i++) {
    let inside = part < parts && m + i < columns;
    if (inside && k < out_channels) {
      part_sums[origin + i] = sums[0].x;
    }
    if (inside && k + 8 < out_channels) {
      part_sums[origin + 8 * columns + i] = sums[0].y;
    }
    sums = array<vec2<f32>, 16>(
      sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], sums[8],
      sums[9], sums[10], sums[11], sums[12], sums[13], sums[14], sums[15], sums[15],
    );
  }
}
