enable subgroups;

// Weight gradient of a convolution without padding as a matrix product in registers that the four lanes of a quad load for each
// other: weight_grad_tile.wgsl for adapters on the CPU with subgroups of 4.
//
//   gw[k,m] = sum over p of gy[gy_base(p) + k * OH*OW] * x[x_base(p) + step[m]]       m = (c, tap), p = pixels of y
//
// Why       As tile_quads.wgsl: for one pixel a lane has 16 loads for 256 multiply-adds; weight_grad_tile.wgsl has 20 for 64.
// Mapping   A lane is (side, group): two groups of 16 k, two sides of 16 m, so a quad computes 32 k x 32 m. It loads 8 k of its
//           group and has the other 8 from the lane of the other side (quadSwapY), and loads 8 m of its side and has the
//           other 8 from the lane of the other group (quadSwapX). Which half comes first matters to the store
//           alone. 64 vec4 of sums.
// Split     The rows of all images are cut into parts; reduce_parts.wgsl adds their sums in order.
// Dispatch  (ceil(parts / 4), blocks of 32 m, blocks of 32 k) workgroups of 4 x 4: a quad is a part.
// FLOPs     2 * P*K*M.
// Bytes     4 * (x * ceil(K / 32) + gy * ceil(M / 32) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, as for weight_grad_patches.wgsl, with 18: rows of a part. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][M]

// Four k (components) of four m (columns).
alias Sums = mat4x4<f32>;

// Addresses of four (c, tap) in x. What is past the last repeats it and is not stored.
fn tap_steps(first: u32) -> vec4<u32> {
  let m = min(first + vec4<u32>(0, 1, 2, 3), vec4(size(0) - 1));
  let taps = size(6) * size(7);
  let tap = m % taps;
  return m / taps * size(10) + tap / size(7) * size(8) + tap % size(7) * size(9);
}

// Addresses of four output channels in gy.
fn planes(first: u32) -> vec4<u32> {
  return min(first + vec4<u32>(0, 1, 2, 3), vec4(size(1) - 1)) * (size(3) * size(4));
}

// Four pixels (components) of four m (columns).
fn load_x(pixels: vec4<u32>, t: vec4<u32>) -> mat4x4<f32> {
  return mat4x4(load_x_one(pixels + t.x), load_x_one(pixels + t.y), load_x_one(pixels + t.z), load_x_one(pixels + t.w));
}

fn load_x_one(at: vec4<u32>) -> vec4<f32> {
  return vec4(f32(x[at.x]), f32(x[at.y]), f32(x[at.z]), f32(x[at.w]));
}

// Four k (components) of four pixels (columns), zero for those that are not there.
fn load_gy(pixels: vec4<u32>, p: vec4<u32>, there: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(
    load_gy_one(pixels.x + p) * there.x,
    load_gy_one(pixels.y + p) * there.y,
    load_gy_one(pixels.z + p) * there.z,
    load_gy_one(pixels.w + p) * there.w,
  );
}

fn load_gy_one(at: vec4<u32>) -> vec4<f32> {
  return vec4(f32(gy[at.x]), f32(gy[at.y]), f32(gy[at.z]), f32(gy[at.w]));
}

fn other_group(v: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4(quadSwapX(v[0]), quadSwapX(v[1]), quadSwapX(v[2]), quadSwapX(v[3]));
}

fn other_side(v: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4(quadSwapY(v[0]), quadSwapY(v[1]), quadSwapY(v[2]), quadSwapY(v[3]));
}

// Four k of four m, from `at` on.
fn store_all(at: u32, sums: Sums) {
  let places = at + vec4<u32>(0, 1, 2, 3) * size(0);
  store_four(places, sums[0]);
  store_four(places + 1, sums[1]);
  store_four(places + 2, sums[2]);
  store_four(places + 3, sums[3]);
}

fn store_four(at: vec4<u32>, v: vec4<f32>) {
  part_sums[at.x] = v.x;
  part_sums[at.y] = v.y;
  part_sums[at.z] = v.z;
  part_sums[at.w] = v.w;
}

// The same where some may not be there.
fn store_some(at: u32, v: Sums, first_k: u32, first_m: u32) {
  var sums = v;
  for (var m = first_m; m < min(first_m + 4, size(0)); m++) {
    for (var k = first_k; k < min(first_k + 4, size(1)); k++) {
      part_sums[at + (k - first_k) * size(0) + m - first_m] = sums[0].x;
      sums[0] = sums[0].yzww;
    }
    sums = Sums(sums[1], sums[2], sums[3], sums[3]);
  }
}

@compute @workgroup_size(4, 4)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let group = id.x % 2;
  let side = id.x / 2;
  let height = size(3);
  let width = size(4);
  let part = group_id.x * 4 + id.y;
  let k = group_id.z * 32 + group * 16;
  let m = group_id.y * 32 + side * 16;
  // This lane's halves, and the ones that come by swaps.
  let own_k = k + side * 8;
  let other_k = k + 8 - side * 8;
  let own_m = m + group * 8;
  let other_m = m + 8 - group * 8;
  let p0 = planes(own_k);
  let p1 = planes(own_k + 4);
  let t0 = tap_steps(own_m);
  let t1 = tap_steps(own_m + 4);
  // By four k (own, own, the other lane's, and again) and four m (likewise).
  var s00 = Sums();
  var s01 = Sums();
  var s02 = Sums();
  var s03 = Sums();
  var s10 = Sums();
  var s11 = Sums();
  var s12 = Sums();
  var s13 = Sums();
  var s20 = Sums();
  var s21 = Sums();
  var s22 = Sums();
  var s23 = Sums();
  var s30 = Sums();
  var s31 = Sums();
  var s32 = Sums();
  var s33 = Sums();
  // All lanes must take part in swaps: past the last row it is read again, times zero.
  let all_rows = size(2) / width;
  for (var i = 0u; i < size(18); i++) {
    let valid = f32(part * size(18) + i < all_rows);
    let row = min(part * size(18) + i, all_rows - 1);
    let n = row / height;
    let h = row % height;
    let from_x = size(14) + n * size(11) + h * size(12);
    let from_gy = size(17) + n * size(20) + h * size(21);
    for (var w = 0u; w < width; w += 4) {
      let columns = w + vec4<u32>(0, 1, 2, 3);
      let read = min(columns, vec4(width - 1));
      let there = vec4<f32>(columns < vec4(width)) * valid;
      let g0 = load_gy(from_gy + read, p0, there);
      let g1 = load_gy(from_gy + read, p1, there);
      let g2 = other_side(g0);
      let g3 = other_side(g1);
      let v0 = load_x(from_x + read * size(13), t0);
      s00 += g0 * v0;
      s10 += g1 * v0;
      s20 += g2 * v0;
      s30 += g3 * v0;
      let v1 = load_x(from_x + read * size(13), t1);
      s01 += g0 * v1;
      s11 += g1 * v1;
      s21 += g2 * v1;
      s31 += g3 * v1;
      let v2 = other_group(v0);
      s02 += g0 * v2;
      s12 += g1 * v2;
      s22 += g2 * v2;
      s32 += g3 * v2;
      let v3 = other_group(v1);
      s03 += g0 * v3;
      s13 += g1 * v3;
      s23 += g2 * v3;
      s33 += g3 * v3;
    }
  }

  // A loop that moves what comes next down, for an array of sums indexed by a variable is slow.
  if (part >= size(19)) {
    return;
  }
  let origin = size(16) + part * size(1) * size(0);
  let rows = vec4(own_k, own_k + 4, other_k, other_k + 4);
  for (var i = 0u; i < 4; i++) {
    let column = select(own_m, other_m, i >= 2) + i % 2 * 4;
    let at = origin + rows * size(0) + column;
    if ((column + 3 < size(0)) & (k + 15 < size(1))) {
      store_all(at.x, s00);
      store_all(at.y, s10);
      store_all(at.z, s20);
      store_all(at.w, s30);
    } else {
      store_some(at.x, s00, rows.x, column);
      store_some(at.y, s10, rows.y, column);
      store_some(at.z, s20, rows.z, column);
      store_some(at.w, s30, rows.w, column);
    }
    s00 = s01;
    s01 = s02;
    s02 = s03;
    s10 = s11;
    s11 = s12;
    s12 = s13;
    s20 = s21;
    s21 = s22;
    s22 = s23;
    s30 = s31;
    s31 = s32;
    s32 = s33;
  }
}
