enable subgroups;

// Weight gradient of a convolution without padding as a matrix product, for adapters that run on the CPU.
//
//   gw[k,m] = sum over p of gy[gy_base(p) + k * OH*OW] * x[x_base(p) + step[m]]       m = (c, tap), p = pixels of y
//
// Why       As weight_grad_strips.wgsl: gy is loaded with lanes as output channels, x with lanes as pixels and broadcast.
// Mapping   A subgroup of LANES lanes computes 2 * LANES output channels x 16 values of m; a lane holds 16 sums for each of two
//           channels. LANES pixels at a time: 2 * LANES loads of gy, 16 of x and 16 * LANES shuffles give 32 * LANES
//           multiply-adds a lane. With one channel a lane they give half of that.
// Split     Pixels are dealt out in runs to `parts` subgroups; reduce_parts.wgsl adds their sums in order.
// Dispatch  (ceil(parts * ceil(M / 16) / 4), ceil(K / (2 * LANES)), 1) workgroups of LANES x 4.
// FLOPs     2 * P*K*M.
// Bytes     4 * (x * KH*KW / (SH*SW) * ceil(K / (2 * LANES)) + gy * ceil(M / 16) + parts * gw), the first two from caches mostly.
// Const     LANES: the subgroup size, which must be that of the device (4 or 8). Sizes come from sizes.wgsl, so that one
//           pipeline serves all layers. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][M]

// Address of (c, tap) in x.
fn tap_step(m: u32) -> u32 {
  let taps = size(6) * size(7);
  let tap = m % taps;
  return m / taps * size(10) + tap / size(7) * size(8) + tap % size(7) * size(9);
}

// The part of an address that belongs to pixel p: `at` is where batch, row and column steps stand in `sizes`.
fn base(p: u32, at: u32) -> u32 {
  let width = size(4);
  let plane = size(3) * width;
  return p / plane * size(at) + p % plane / width * size(at + 1) + p % width * size(at + 2);
}

// What lane `j` holds, sixteen times.
fn column(v: ptr<function, array<f32, 16>>, j: u32) -> mat4x4<f32> {
  return mat4x4(
    subgroupShuffle((*v)[0], j), subgroupShuffle((*v)[1], j), subgroupShuffle((*v)[2], j), subgroupShuffle((*v)[3], j),
    subgroupShuffle((*v)[4], j), subgroupShuffle((*v)[5], j), subgroupShuffle((*v)[6], j), subgroupShuffle((*v)[7], j),
    subgroupShuffle((*v)[8], j), subgroupShuffle((*v)[9], j), subgroupShuffle((*v)[10], j), subgroupShuffle((*v)[11], j),
    subgroupShuffle((*v)[12], j), subgroupShuffle((*v)[13], j), subgroupShuffle((*v)[14], j), subgroupShuffle((*v)[15], j),
  );
}

// Sixteen values of m for each of a lane's two output channels.
struct Sums {
  near: mat4x4<f32>,
  far: mat4x4<f32>,
}

// gy at pixel `at`'s lane j, zero past the last pixel, times what that lane holds of x.
fn add(s: Sums, planes: vec2<u32>, at: u32, j: u32, valid: f32, v: ptr<function, array<f32, 16>>) -> Sums {
  let place = planes + subgroupShuffle(at, j);
  let g = vec2(f32(gy[place.x]), f32(gy[place.y])) * subgroupShuffle(valid, j);
  let values = column(v, j);
  return Sums(s.near + g.x * values, s.far + g.y * values);
}

@compute @workgroup_size(LANES, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let columns = size(0); // M
  let out_channels = size(1);
  let pixels = size(2);
  let run = size(18); // pixels of a part, a multiple of LANES
  let parts = size(19);
  let blocks = (columns + 15) / 16;
  let tile = group.x * 4 + id.y;
  let part = tile / blocks;
  let m = tile % blocks * 16;
  let k = group.y * (2 * LANES) + lane;
  let planes = size(17) + min(vec2(k, k + LANES), vec2(out_channels - 1)) * (size(3) * size(4));

  // Steps of the sixteen m, of which those past the last repeat it and are not stored.
  var steps: array<u32, 16>;
  for (var i = 0u; i < 16; i++) {
    steps[i] = size(14) + tap_step(min(m + i, columns - 1));
  }
  var sum: Sums;
  for (var i = 0u; i < run; i += LANES) {
    let p = part * run + i + lane;
    let valid = f32(p < pixels);
    let q = min(p, pixels - 1);
    let at = base(q, 11);
    var v = array<f32, 16>(
      f32(x[at + steps[0]]), f32(x[at + steps[1]]), f32(x[at + steps[2]]), f32(x[at + steps[3]]),
      f32(x[at + steps[4]]), f32(x[at + steps[5]]), f32(x[at + steps[6]]), f32(x[at + steps[7]]),
      f32(x[at + steps[8]]), f32(x[at + steps[9]]), f32(x[at + steps[10]]), f32(x[at + steps[11]]),
      f32(x[at + steps[12]]), f32(x[at + steps[13]]), f32(x[at + steps[14]]), f32(x[at + steps[15]]),
    );
    let source = base(q, 20);
    sum = add(sum, planes, source, 0, valid, &v);
    sum = add(sum, planes, source, 1, valid, &v);
    sum = add(sum, planes, source, 2, valid, &v);
    sum = add(sum, planes, source, 3, valid, &v);
    if (LANES == 8) {
      sum = add(sum, planes, source, LANES - 4, valid, &v);
      sum = add(sum, planes, source, LANES - 3, valid, &v);
      sum = add(sum, planes, source, LANES - 2, valid, &v);
      sum = add(sum, planes, source, LANES - 1, valid, &v);
    }
  }
  for (var i = 0u; i < 16; i++) {
    if (part < parts && m + i < columns) {
      let at = size(16) + (part * out_channels + k) * columns + m + i;
      if (k < out_channels) {
        part_sums[at] = sum.near[i / 4][i % 4];
      }
      if (k + LANES < out_channels) {
        part_sums[at + LANES * columns] = sum.far[i / 4][i % 4];
      }
    }
  }
}
