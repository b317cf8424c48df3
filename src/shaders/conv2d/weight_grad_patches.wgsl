enable subgroups;

// Weight gradient of a convolution without padding as a matrix product, for adapters that run on the CPU.
//
//   gw[k,m] = sum over p of gy[gy_base(p) + k * OH*OW] * x[x_base(p) + step[m]]       m = (c, tap), p = pixels of y
//
// Why       As weight_grad_strips.wgsl: x is loaded with lanes as m, gy is broadcast.
// Mapping   A subgroup of 8 lanes computes 32 output channels x 32 values of m; a lane holds 32 sums for each of four m. Two
//           pixels at a time, of which lanes load four output channels each: 8 loads of gy, 8 of x and 64 shuffles give 256
//           multiply-adds a lane. The loop's code stays within the processor's cache of decoded instructions.
// Lines     Where planes are whole pages, as sizes of powers of two make them, channels of gy fall into one set of the first-level
//           cache, which holds 8 lines. Four channels at two pixels meet each line once, eight at one pixel would twice.
// Order     First all loads, then all products: a load has branches here, and the compiler would move sums past them, until
//           products wait in memory.
// Division  of whole numbers goes lane by lane here: where a pixel lies is found once and then carried on.
// Split     Pixels are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Dispatch  (ceil(parts * ceil(M / 32) / 4), ceil(K / 32), 1) workgroups of 8 x 4.
// FLOPs     2 * P*K*M.
// Bytes     4 * (x * KH*KW / (SH*SW) * ceil(K / 32) + gy * ceil(M / 32) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][M]

// Four values of m of a lane, 8 apart.
alias Four = vec4<f32>;

// Sums of four output channels.
struct Sums {
  a: Four,
  b: Four,
  c: Four,
  d: Four,
}

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

// x of the lane's four m at a pixel.
fn pixels_at(steps: vec4<u32>, image: u32) -> Four {
  return Four(f32(x[steps.x + image]), f32(x[steps.y + image]), f32(x[steps.z + image]), f32(x[steps.w + image]));
}

// `g` is gy of four channels at two pixels, with lanes as (channel, pixel); `x0` and `x1` are x at them.
fn add(s: Sums, x0: Four, x1: Four, g: f32) -> Sums {
  return Sums(
    s.a + x0 * subgroupShuffle(g, 0) + x1 * subgroupShuffle(g, 1),
    s.b + x0 * subgroupShuffle(g, 2) + x1 * subgroupShuffle(g, 3),
    s.c + x0 * subgroupShuffle(g, 4) + x1 * subgroupShuffle(g, 5),
    s.d + x0 * subgroupShuffle(g, 6) + x1 * subgroupShuffle(g, 7),
  );
}

// Sums of channel `k` for the lane's m, of which the first is `m`.
fn store(part: u32, k: u32, m: u32, sum: Four) {
  let columns = size(0);
  let at = size(16) + (part * size(1) + k) * columns + m;
  let valid = part < size(19) && k < size(1);
  if (valid && m < columns) {
    part_sums[at] = sum.x;
  }
  if (valid && m + 8 < columns) {
    part_sums[at + 8] = sum.y;
  }
  if (valid && m + 16 < columns) {
    part_sums[at + 16] = sum.z;
  }
  if (valid && m + 24 < columns) {
    part_sums[at + 24] = sum.w;
  }
}

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let columns = size(0); // M
  let pixels = size(2);
  let run = size(18); // pixels of a part, a multiple of 2
  let blocks = (columns + 31) / 32;
  let tile = group.x * 4 + id.y;
  let part = tile / blocks;
  let m = tile % blocks * 32 + lane;
  let k = group.y * 32;

  // Where the lane's values lie. Those past the last repeat it and are not stored.
  let end = columns - 1;
  let steps = size(14) + vec4(
    tap_step(min(m, end)), tap_step(min(m + 8, end)), tap_step(min(m + 16, end)), tap_step(min(m + 24, end)),
  );
  let own = k + lane / 2;
  let plane = size(3) * size(4);
  let last = size(1) - 1;
  let p0 = size(17) + min(own, last) * plane;
  let p1 = size(17) + min(own + 4, last) * plane;
  let p2 = size(17) + min(own + 8, last) * plane;
  let p3 = size(17) + min(own + 12, last) * plane;
  let p4 = size(17) + min(own + 16, last) * plane;
  let p5 = size(17) + min(own + 20, last) * plane;
  let p6 = size(17) + min(own + 24, last) * plane;
  let p7 = size(17) + min(own + 28, last) * plane;
  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var s4: Sums;
  var s5: Sums;
  var s6: Sums;
  var s7: Sums;
  var at = pixel(part * run + lane % 2);
  let two = pixel(2);
  for (var i = 0u; i < run; i += 2) {
    // Past the last pixel any is read, times zero.
    let there = part * run + i + lane % 2 < pixels;
    let q = Pixel(select(0, at.n, there), at.h, at.w);
    let image = base(q, 11);
    let x0 = pixels_at(steps, subgroupShuffle(image, 0));
    let x1 = pixels_at(steps, subgroupShuffle(image, 1));
    let source = base(q, 20);
    let valid = f32(there);
    let g0 = f32(gy[source + p0]) * valid;
    let g1 = f32(gy[source + p1]) * valid;
    let g2 = f32(gy[source + p2]) * valid;
    let g3 = f32(gy[source + p3]) * valid;
    let g4 = f32(gy[source + p4]) * valid;
    let g5 = f32(gy[source + p5]) * valid;
    let g6 = f32(gy[source + p6]) * valid;
    let g7 = f32(gy[source + p7]) * valid;
    s0 = add(s0, x0, x1, g0);
    s1 = add(s1, x0, x1, g1);
    s2 = add(s2, x0, x1, g2);
    s3 = add(s3, x0, x1, g3);
    s4 = add(s4, x0, x1, g4);
    s5 = add(s5, x0, x1, g5);
    s6 = add(s6, x0, x1, g6);
    s7 = add(s7, x0, x1, g7);
    at = advance(at, two);
  }
  // A loop that moves what comes next down, for an array indexed by a variable is slow.
  for (var i = 0u; i < 32; i += 4) {
    store(part, k + i, m, s0.a);
    store(part, k + i + 1, m, s0.b);
    store(part, k + i + 2, m, s0.c);
    store(part, k + i + 3, m, s0.d);
    s0 = s1;
    s1 = s2;
    s2 = s3;
    s3 = s4;
    s4 = s5;
    s5 = s6;
    s6 = s7;
  }
}
