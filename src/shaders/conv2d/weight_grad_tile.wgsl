// Weight gradient of a convolution without padding as a matrix product in registers. For adapters on which workgroup memory is
// slow; it needs neither that nor subgroups.
//
//   gw[k,m] = sum over p of gy[gy_base(p) + k * OH*OW] * x[x_base(p) + step[m]]       m = (c, tap), p = pixels of y
//
// Mapping   one invocation, 4 k x 16 m: 16 vec4 sums. It walks the rows of its part; a pixel costs 4 values of gy and 16 of x
//           for 64 multiply-adds.
// Split     The rows of all images are cut into parts; reduce_parts.wgsl adds their sums in order.
// Dispatch  (ceil(parts / 8), blocks of 16 m, blocks of 4 k) workgroups of 8: lanes are parts.
// FLOPs     2 * P*K*M.
// Bytes     4 * (x * ceil(K / 4) + gy * ceil(M / 16) + parts * gw), the first two from caches mostly.
// Consts    none: sizes come from sizes.wgsl, as for weight_grad_patches.wgsl, with 18: rows of a part. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][M]

// Address of (c, tap) in x.
fn tap_step(m: u32) -> u32 {
  let taps = size(6) * size(7);
  let tap = m % taps;
  return m / taps * size(10) + tap / size(7) * size(8) + tap % size(7) * size(9);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = size(0); // M
  let out_channels = size(1);
  let height = size(3);
  let width = size(4);
  let part = id.x;
  if (part >= size(19)) {
    return;
  }
  let m = id.y * 16;
  let k = id.z * 4;
  // What is past the last m or k repeats it and is not stored.
  let planes = min(k + vec4<u32>(0, 1, 2, 3), vec4(out_channels - 1)) * (height * width);
  let t0 = tap_step(min(m + 0, columns - 1));
  let t1 = tap_step(min(m + 1, columns - 1));
  let t2 = tap_step(min(m + 2, columns - 1));
  let t3 = tap_step(min(m + 3, columns - 1));
  let t4 = tap_step(min(m + 4, columns - 1));
  let t5 = tap_step(min(m + 5, columns - 1));
  let t6 = tap_step(min(m + 6, columns - 1));
  let t7 = tap_step(min(m + 7, columns - 1));
  let t8 = tap_step(min(m + 8, columns - 1));
  let t9 = tap_step(min(m + 9, columns - 1));
  let t10 = tap_step(min(m + 10, columns - 1));
  let t11 = tap_step(min(m + 11, columns - 1));
  let t12 = tap_step(min(m + 12, columns - 1));
  let t13 = tap_step(min(m + 13, columns - 1));
  let t14 = tap_step(min(m + 14, columns - 1));
  let t15 = tap_step(min(m + 15, columns - 1));
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  var s4 = vec4<f32>();
  var s5 = vec4<f32>();
  var s6 = vec4<f32>();
  var s7 = vec4<f32>();
  var s8 = vec4<f32>();
  var s9 = vec4<f32>();
  var s10 = vec4<f32>();
  var s11 = vec4<f32>();
  var s12 = vec4<f32>();
  var s13 = vec4<f32>();
  var s14 = vec4<f32>();
  var s15 = vec4<f32>();
  let first = part * size(18);
  let last = min(first + size(18), size(2) / width);
  for (var row = first; row < last; row++) {
    let n = row / height;
    let h = row % height;
    let from_x = size(14) + n * size(11) + h * size(12);
    let from_gy = size(17) + n * size(20) + h * size(21) + planes;
    for (var w = 0u; w < width; w++) {
      let slopes = from_gy + w;
      let g = vec4(f32(gy[slopes[0]]), f32(gy[slopes[1]]), f32(gy[slopes[2]]), f32(gy[slopes[3]]));
      let at = from_x + w * size(13);
      s0 += g * f32(x[at + t0]);
      s1 += g * f32(x[at + t1]);
      s2 += g * f32(x[at + t2]);
      s3 += g * f32(x[at + t3]);
      s4 += g * f32(x[at + t4]);
      s5 += g * f32(x[at + t5]);
      s6 += g * f32(x[at + t6]);
      s7 += g * f32(x[at + t7]);
      s8 += g * f32(x[at + t8]);
      s9 += g * f32(x[at + t9]);
      s10 += g * f32(x[at + t10]);
      s11 += g * f32(x[at + t11]);
      s12 += g * f32(x[at + t12]);
      s13 += g * f32(x[at + t13]);
      s14 += g * f32(x[at + t14]);
      s15 += g * f32(x[at + t15]);
    }
  }
  var sums = array<vec4<f32>, 16>(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15);
  for (var i = 0u; i < 64; i++) {
    if (k + i % 4 < out_channels && m + i / 4 < columns) {
      part_sums[size(16) + (part * out_channels + k + i % 4) * columns + m + i / 4] = sums[i / 4][i % 4];
    }
  }
}
