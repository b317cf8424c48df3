// Convolution without padding as a matrix product in registers: 4 pixels and 16 rows of the matrix an invocation. It serves the
// forward pass of any kernel and stride, and the input gradient (the transposed convolution) where patches neither overlap
// nor leave gaps. For adapters on which workgroup memory is slow; it needs neither that nor subgroups.
//
//   out[out_base(p) + out_step[m]] = epilogue( sum over r of in[in_base(p) + in_step[r]] * a[m,r] )
//
//   p: pixels of the smaller image. Forward: r = (c, tap), m = output channel. Input gradient: r = output channel, m = (c, tap).
//   Either way an address is a part for the pixel plus a part for the row of the matrix.
//
// Mapping   one invocation, 4 rows x 1 column of pixels for 16 m: 16 vec4 sums. An r costs 4 pixels and 4 vec4 of weights for 64
//           multiply-adds. Lanes run along columns, so they read neighbouring pixels and the same weights.
// Dispatch  (ceil(N * ceil(OH / 4) * OW / 64), blocks of 16 m, 1) workgroups of 64.
// FLOPs     2 * P*M*R.
// Bytes     4 * (in * ceil(M / 16) + out + weights * tiles), from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers. Pieces: sizes, epilogue_shared.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
// in_step [R4], then for each block: out_step [16], channel [16], weights [R4][16]. R4: R up to a multiple of 4.
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

// Four pixels of one row of m. `origin`: of the image in `output`; `index`: of it as if without gaps.
fn store(inside: vec4<bool>, origin: u32, index: u32, place: vec4<u32>, v: vec4<f32>) {
  store_one(inside.x, origin + place.x, index + place.x, v.x);
  store_one(inside.y, origin + place.y, index + place.y, v.y);
  store_one(inside.z, origin + place.z, index + place.z, v.z);
  store_one(inside.w, origin + place.w, index + place.w, v.w);
}

fn store_one(inside: bool, place: u32, index: u32, v: f32) {
  if (inside) {
    output[place] = OUT_TYPE(activate(v, index));
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = size(0); // R4
  let height = size(3);
  let width = size(4);
  let tiles = (height + 3) / 4 * width; // of an image
  let n = id.x / tiles;
  if (n >= size(2)) {
    return;
  }
  let h = id.x % tiles / width * 4;
  let w = id.x % width;
  // Past the last row the last is read again, and not stored.
  let read_rows = min(h + vec4<u32>(0, 1, 2, 3), vec4(height - 1));
  let source = size(16) + n * size(5) + read_rows * size(6) + w * size(7);
  let block = rows / 4 + id.y * (8 + rows * 4);

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
  for (var r = 0u; r < rows; r++) {
    let at = source + bitcast<u32>(packed[r / 4][r % 4]);
    let v = vec4(f32(input[at[0]]), f32(input[at[1]]), f32(input[at[2]]), f32(input[at[3]]));
    let a = packed[block + 8 + r * 4];
    let b = packed[block + 9 + r * 4];
    let c = packed[block + 10 + r * 4];
    let d = packed[block + 11 + r * 4];
    s0 += v * a[0];
    s1 += v * a[1];
    s2 += v * a[2];
    s3 += v * a[3];
    s4 += v * b[0];
    s5 += v * b[1];
    s6 += v * b[2];
    s7 += v * b[3];
    s8 += v * c[0];
    s9 += v * c[1];
    s10 += v * c[2];
    s11 += v * c[3];
    s12 += v * d[0];
    s13 += v * d[1];
    s14 += v * d[2];
    s15 += v * d[3];
  }

  // A loop that moves what comes next down, for an array of sums indexed by a variable is slow; written out, 64 stores with their
  // epilogue take seconds to compile. Sizes and what a row shares are read once, not for each store.
  let last = size(1);
  let place = vec4(size(9) * h + size(10) * w) + size(9) * vec4<u32>(0, 1, 2, 3);
  let index = n * size(13);
  let origin = size(11) + n * size(8);
  let inside = (h + vec4<u32>(0, 1, 2, 3)) < vec4(height);
  for (var m = 0u; m < 16; m++) {
    let step = bitcast<u32>(packed[block + m / 4][m % 4]);
    let channel = bitcast<u32>(packed[block + 4 + m / 4][m % 4]);
    store(inside & vec4(id.y * 16 + m < last), origin, index, place + step, s0 + bias_of(channel));
    s0 = s1;
    s1 = s2;
    s2 = s3;
    s3 = s4;
    s4 = s5;
    s5 = s6;
    s6 = s7;
    s7 = s8;
    s8 = s9;
    s9 = s10;
    s10 = s11;
    s11 = s12;
    s12 = s13;
    s13 = s14;
    s14 = s15;
  }
}
