// Weight gradient of a 3x3 convolution of stride 1 in large register blocks: 8 output channels x 4 input channels x 9 taps.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh + r - pad_h, ow + s - pad_w]
//
// Why       As block8x3.wgsl: for adapters on the CPU where a load costs twenty multiply-adds. A pixel costs 8 loads of gy and 12
//           of x for 288 multiply-adds, half the loads of weight_grad_block3x3.wgsl. That gave nothing (sums that outlive a loop's round lie on SwiftShader's stack);
//           lanes that are all at work where channels are many did, five times at 128 to 128. A GPU has not the registers for it.
// Mapping   one invocation walks the rows of its part, column by column, with a window of 3 x 3 values of four channels of x:
//           72 vec4 of sums. Lanes run along parts, then along blocks, so that none is idle where a layer of many channels has one
//           part. reduce_parts.wgsl adds parts in order: the same bits each time.
// Dispatch  ceil(parts * ceil(C / 4) * ceil(K / 8) / 8) workgroups of 8.
// FLOPs     2 * N*K*OH*OW * C*9.
// Bytes     4 * (x * ceil(K / 8) + gy * ceil(C / 4) + parts * gw), the first two from caches mostly.
// Sizes     as weight_grad_strips.wgsl, but 12: images; 14: rows of a part, of all images' in one list. Pieces: sizes.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gy: array<f32>;
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>; // [parts][K][C][9]

// Nine taps of one input channel for eight output channels.
struct Sums {
  a: array<vec4<f32>, 9>, // channels 0 to 3 by tap
  b: array<vec4<f32>, 9>, // channels 4 to 7 by tap
}

// One value of x, zero outside the image. Unsigned: above and left of it the index wraps round to a huge one.
// `&`, for `&&` is a branch, and SwiftShader compiles in a time that doubles with each branch in a row.
fn pixel(plane: u32, h: u32, w: u32) -> f32 {
  let inside = (h < size(1)) & (w < size(2));
  return select(0.0, x[select(0, plane + h * size(2) + w, inside)], inside);
}

// Three rows of a column.
fn column(plane: u32, h: u32, w: u32) -> vec3<f32> {
  return vec3(pixel(plane, h, w), pixel(plane, h + 1, w), pixel(plane, h + 2, w));
}

fn add(s: Sums, a: vec4<f32>, b: vec4<f32>, left: vec3<f32>, middle: vec3<f32>, right: vec3<f32>) -> Sums {
  return Sums(
    array<vec4<f32>, 9>(
      s.a[0] + a * left.x, s.a[1] + a * middle.x, s.a[2] + a * right.x,
      s.a[3] + a * left.y, s.a[4] + a * middle.y, s.a[5] + a * right.y,
      s.a[6] + a * left.z, s.a[7] + a * middle.z, s.a[8] + a * right.z,
    ),
    array<vec4<f32>, 9>(
      s.b[0] + b * left.x, s.b[1] + b * middle.x, s.b[2] + b * right.x,
      s.b[3] + b * left.y, s.b[4] + b * middle.y, s.b[5] + b * right.y,
      s.b[6] + b * left.z, s.b[7] + b * middle.z, s.b[8] + b * right.z,
    ),
  );
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let channels = size(0);
  let out_channels = size(3);
  let part = id.x % size(15);
  let tile = id.x / size(15);
  let c = tile % ((channels + 3) / 4) * 4;
  let k = tile / ((channels + 3) / 4) * 8;
  if (k >= out_channels) {
    return;
  }
  let out_height = size(4);
  let out_width = size(5);
  // A channel past the last repeats the last; its sums are not stored.
  let from_c = min(c + vec4<u32>(0, 1, 2, 3), vec4(channels - 1)) * (size(1) * size(2));
  let from_a = min(k + vec4<u32>(0, 1, 2, 3), vec4(out_channels - 1)) * (out_height * out_width);
  let from_b = min(k + vec4<u32>(4, 5, 6, 7), vec4(out_channels - 1)) * (out_height * out_width);

  var s0 = Sums();
  var s1 = Sums();
  var s2 = Sums();
  var s3 = Sums();
  let first = part * size(14);
  for (var i = first; i < min(first + size(14), size(12) * out_height); i++) {
    let n = i / out_height;
    let row = i % out_height;
    let planes = size(8) + n * size(9) + from_c;
    let slopes = size(10) + n * size(11) + row * out_width;
    let h = row - size(6); // may wrap below zero
    let w = 0 - size(7);
    var left0 = column(planes[0], h, w);
    var left1 = column(planes[1], h, w);
    var left2 = column(planes[2], h, w);
    var left3 = column(planes[3], h, w);
    var middle0 = column(planes[0], h, w + 1);
    var middle1 = column(planes[1], h, w + 1);
    var middle2 = column(planes[2], h, w + 1);
    var middle3 = column(planes[3], h, w + 1);
    for (var j = 0u; j < out_width; j++) {
      let at_a = slopes + j + from_a;
      let at_b = slopes + j + from_b;
      let a = vec4(gy[at_a[0]], gy[at_a[1]], gy[at_a[2]], gy[at_a[3]]);
      let b = vec4(gy[at_b[0]], gy[at_b[1]], gy[at_b[2]], gy[at_b[3]]);
      let right0 = column(planes[0], h, w + j + 2);
      let right1 = column(planes[1], h, w + j + 2);
      let right2 = column(planes[2], h, w + j + 2);
      let right3 = column(planes[3], h, w + j + 2);
      s0 = add(s0, a, b, left0, middle0, right0);
      s1 = add(s1, a, b, left1, middle1, right1);
      s2 = add(s2, a, b, left2, middle2, right2);
      s3 = add(s3, a, b, left3, middle3, right3);
      left0 = middle0;
      left1 = middle1;
      left2 = middle2;
      left3 = middle3;
      middle0 = right0;
      middle1 = right1;
      middle2 = right2;
      middle3 = right3;
    }
  }

  var sums = array<Sums, 4>(s0, s1, s2, s3);
  for (var i = 0u; i < 288; i++) {
    let tap = i % 9;
    let channel = i / 9 % 4;
    let out_channel = i / 36;
    if (k + out_channel < out_channels && c + channel < channels) {
      let v = select(sums[channel].a[tap][out_channel % 4], sums[channel].b[tap][out_channel % 4], out_channel >= 4);
      part_sums[size(16) + ((part * out_channels + k + out_channel) * channels + c + channel) * 9 + tap] = v;
    }
  }
}
