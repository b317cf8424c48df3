enable subgroups;

// Convolution without padding as a matrix product, for adapters that run on the CPU with subgroups of 8. It serves the
// forward pass of any kernel and stride, and the input gradient (the transposed convolution) where patches neither overlap
// nor leave gaps.
//
//   out[out_base(p) + out_step[m]] = epilogue( sum over r of in[in_base(p) + in_step[r]] * a[m,r] )
//
//   p: pixels of the smaller image. Forward: r = (c, tap), m = output channel. Input gradient: r = output channel, m = (c, tap).
//   Either way an address is a part for the pixel plus a part for the row of the matrix.
//
// Why       As strips.wgsl: a load of storage costs a hundred instructions, a shuffle or a multiply-add one or two. So each pixel
//           that is loaded meets many rows of m, and weights come as vec4 from a uniform buffer and are broadcast from the
//           lane that loaded them. With 8 rows of m for 8 vectors of pixels, and weights from storage, it ran at a third
//           of the speed.
// Mapping   A subgroup computes 4 rows x 8 columns of pixels x 32 rows of `m`: a lane holds 128 sums. Four r at a time: 16
//           vectors of pixels and 128 weights are loaded for 512 multiply-adds a lane.
// Chunks    A uniform buffer has 64 KiB, the weights of about 480 r: more take several launches, each adding to what the one
//           before left in `output`; the last applies the epilogue.
// Dispatch  (ceil(tiles / 4), blocks of 32 m in `weights`, 1) workgroups of 8 x 4: a tile a row of the workgroup.
// FLOPs     2 * P*M*R.
// Bytes     4 * (in * ceil(M / 32) + out + weights), from caches mostly.
// Consts    CHUNKS: launches that add up. Sizes come from sizes.wgsl, so that one pipeline serves all layers.
// Pieces    sizes, epilogue_shared.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
// in_step [R4], then for each block: out_step [32], channel [32], weights [R4][32]. R4: R up to a multiple of 4.
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, 4096>;
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

// Four rows of pixels.
alias Pixels = vec4<f32>;

fn load(at: vec4<u32>, step: u32) -> Pixels {
  return Pixels(f32(input[at[0] + step]), f32(input[at[1] + step]), f32(input[at[2] + step]), f32(input[at[3] + step]));
}

// Weight of row m at r of 4, of 128 that were loaded as four vec4: eight lanes hold the 32 of one r.
fn pick(list: ptr<function, array<vec4<f32>, 4>>, r: u32, m: u32) -> f32 {
  return subgroupShuffle((*list)[r][m % 4], m / 4);
}

// One row of m: four r.
fn products(sum: Pixels, v: ptr<function, mat4x4<f32>>, list: ptr<function, array<vec4<f32>, 4>>, m: u32) -> Pixels {
  var s = sum;
  s += (*v)[0] * pick(list, 0, m);
  s += (*v)[1] * pick(list, 1, m);
  s += (*v)[2] * pick(list, 2, m);
  s += (*v)[3] * pick(list, 3, m);
  return s;
}

fn store(inside: bool, place: u32, v: f32, index: u32) {
  if (inside) {
    var sum = v;
    // A constant: such code is long, and compiled sixteen times.
    if (CHUNKS > 1) {
      if (size(20) != 0) {
        sum += f32(output[place]);
      }
      if (size(21) == 0) {
        output[place] = OUT_TYPE(sum);
        return;
      }
    }
    output[place] = OUT_TYPE(activate(sum, index));
  }
}

// One row of m: four rows of pixels.
fn store_rows(valid: vec4<bool>, at: vec4<u32>, index: vec4<u32>, step: u32, channel: u32, v: Pixels) {
  let b = select(0.0, bias_of(channel), size(21) != 0);
  store(valid[0], at[0] + step, v[0] + b, index[0] + step);
  store(valid[1], at[1] + step, v[1] + b, index[1] + step);
  store(valid[2], at[2] + step, v[2] + b, index[2] + step);
  store(valid[3], at[3] + step, v[3] + b, index[3] + step);
}

@compute @workgroup_size(8, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let rows = size(0); // R4
  let height = size(3);
  let width = size(4);
  let across = size(17); // tiles in a row of the smaller image
  let tiles = size(18); // tiles of an image
  let tile = group.x * 4 + id.y;
  let n = tile / tiles;
  let h = tile % tiles / across * 4;
  let w = tile % across * 8 + lane;

  // Past the last row, column or image the last is read again rather than leave: all lanes must take part in shuffles.
  let at_rows = h + vec4<u32>(0, 1, 2, 3);
  let read_rows = min(at_rows, vec4(height - 1));
  let source = size(16) + min(n, size(2) - 1) * size(5) + read_rows * size(6) + min(w, width - 1) * size(7);

  let block = rows / 4 + group.y * (16 + rows * 8);
  var s0 = Pixels();
  var s1 = Pixels();
  var s2 = Pixels();
  var s3 = Pixels();
  var s4 = Pixels();
  var s5 = Pixels();
  var s6 = Pixels();
  var s7 = Pixels();
  var s8 = Pixels();
  var s9 = Pixels();
  var s10 = Pixels();
  var s11 = Pixels();
  var s12 = Pixels();
  var s13 = Pixels();
  var s14 = Pixels();
  var s15 = Pixels();
  var s16 = Pixels();
  var s17 = Pixels();
  var s18 = Pixels();
  var s19 = Pixels();
  var s20 = Pixels();
  var s21 = Pixels();
  var s22 = Pixels();
  var s23 = Pixels();
  var s24 = Pixels();
  var s25 = Pixels();
  var s26 = Pixels();
  var s27 = Pixels();
  var s28 = Pixels();
  var s29 = Pixels();
  var s30 = Pixels();
  var s31 = Pixels();
  for (var r = 0u; r < rows; r += 4) {
    let steps = bitcast<vec4<u32>>(weights[r / 4]);
    var v = mat4x4<f32>(load(source, steps[0]), load(source, steps[1]), load(source, steps[2]), load(source, steps[3]));
    let at = block + 16 + r * 8 + lane;
    var list = array<vec4<f32>, 4>(weights[at], weights[at + 8], weights[at + 16], weights[at + 24]);
    s0 = products(s0, &v, &list, 0);
    s1 = products(s1, &v, &list, 1);
    s2 = products(s2, &v, &list, 2);
    s3 = products(s3, &v, &list, 3);
    s4 = products(s4, &v, &list, 4);
    s5 = products(s5, &v, &list, 5);
    s6 = products(s6, &v, &list, 6);
    s7 = products(s7, &v, &list, 7);
    s8 = products(s8, &v, &list, 8);
    s9 = products(s9, &v, &list, 9);
    s10 = products(s10, &v, &list, 10);
    s11 = products(s11, &v, &list, 11);
    s12 = products(s12, &v, &list, 12);
    s13 = products(s13, &v, &list, 13);
    s14 = products(s14, &v, &list, 14);
    s15 = products(s15, &v, &list, 15);
    s16 = products(s16, &v, &list, 16);
    s17 = products(s17, &v, &list, 17);
    s18 = products(s18, &v, &list, 18);
    s19 = products(s19, &v, &list, 19);
    s20 = products(s20, &v, &list, 20);
    s21 = products(s21, &v, &list, 21);
    s22 = products(s22, &v, &list, 22);
    s23 = products(s23, &v, &list, 23);
    s24 = products(s24, &v, &list, 24);
    s25 = products(s25, &v, &list, 25);
    s26 = products(s26, &v, &list, 26);
    s27 = products(s27, &v, &list, 27);
    s28 = products(s28, &v, &list, 28);
    s29 = products(s29, &v, &list, 29);
    s30 = products(s30, &v, &list, 30);
    s31 = products(s31, &v, &list, 31);
  }

  // A loop over m, four at a time, which moves the next ones' sums down each time, as in strips.wgsl.
  let valid = (at_rows < vec4(height)) & vec4(w < width && n < size(2));
  let place = at_rows * size(9) + w * size(10);
  let place_of = size(11) + n * size(8) + place;
  let index = n * size(13) + place; // in the output as if without gaps
  for (var i = 0u; i < 8; i++) {
    let m = (size(19) + group.y) * 32 + i * 4;
    let steps = bitcast<vec4<u32>>(weights[block + i]);
    let channels = bitcast<vec4<u32>>(weights[block + 8 + i]);
    store_rows(valid & vec4(m < size(1)), place_of, index, steps[0], channels[0], s0);
    store_rows(valid & vec4(m + 1 < size(1)), place_of, index, steps[1], channels[1], s1);
    store_rows(valid & vec4(m + 2 < size(1)), place_of, index, steps[2], channels[2], s2);
    store_rows(valid & vec4(m + 3 < size(1)), place_of, index, steps[3], channels[3], s3);
    s0 = s4;
    s1 = s5;
    s2 = s6;
    s3 = s7;
    s4 = s8;
    s5 = s9;
    s6 = s10;
    s7 = s11;
    s8 = s12;
    s9 = s13;
    s10 = s14;
    s11 = s15;
    s12 = s16;
    s13 = s17;
    s14 = s18;
    s15 = s19;
    s16 = s20;
    s17 = s21;
    s18 = s22;
    s19 = s23;
    s20 = s24;
    s21 = s25;
    s22 = s26;
    s23 = s27;
    s24 = s28;
    s25 = s29;
    s26 = s30;
    s27 = s31;
  }
}
