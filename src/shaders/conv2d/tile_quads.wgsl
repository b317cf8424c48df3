enable subgroups;

// Convolution without padding as a matrix product in registers that the four lanes of a quad load for each other: tile.wgsl
// for adapters on the CPU with subgroups of 4. It serves the forward pass of any kernel and stride, and the input gradient
// (the transposed convolution) where patches neither overlap nor leave gaps.
//
//   out[out_base(p) + out_step[m]] = epilogue( sum over r of in[in_base(p) + in_step[r]] * a[m,r] )
//
//   p: pixels of the smaller image. Forward: r = (c, tap), m = output channel. Input gradient: r = output channel, m = (c, tap).
//
// Why       A load costs twenty multiply-adds there, a swap within a quad next to nothing. For one r a lane has 16 loads for
//           256 multiply-adds; tile.wgsl has 20 for 64.
// Mapping   A lane is (side, group): two tiles of 4 rows x 4 columns of pixels side by side, two groups of 16 m. It loads two
//           rows of its tile and has the other two from the lane of the other group (quadSwapX), and loads half of
//           the weights of its group and has the others from the lane of the other tile (quadSwapY). Which half
//           comes first differs from lane to lane, which matters to the store alone. 64 vec4 of sums.
// Dispatch  (ceil(N * tiles / 16), blocks of 32 m, 1) workgroups of 4 x 16: a quad a row of the workgroup.
// FLOPs     2 * P*M*R.
// Bytes     4 * (in * ceil(M / 32) + out + weights * tiles), from caches mostly.
// Consts    none: sizes come from sizes.wgsl, so that one pipeline serves all layers; 17, 18: quads in a row of the smaller
//           image, and in an image. Pieces: sizes, epilogue_shared.

@group(0) @binding(0) var<storage, read> input: array<IN_TYPE>;
// in_step [R4], then for each group of 16 m: out_step [16], channel [16], weights [R4][16]. R4: R up to a multiple of 4.
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<OUT_TYPE>;

// Four pixels (components) of four m (columns).
alias Sums = mat4x4<f32>;

fn load_one(at: vec4<u32>) -> vec4<f32> {
  return vec4(f32(input[at.x]), f32(input[at.y]), f32(input[at.z]), f32(input[at.w]));
}

// Four pixels (components) of four r (columns).
fn load(at: vec4<u32>, steps: vec4<u32>) -> mat4x4<f32> {
  return mat4x4(load_one(at + steps.x), load_one(at + steps.y), load_one(at + steps.z), load_one(at + steps.w));
}

fn other_group(v: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4(quadSwapX(v[0]), quadSwapX(v[1]), quadSwapX(v[2]), quadSwapX(v[3]));
}

fn other_side(v: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4(quadSwapY(v[0]), quadSwapY(v[1]), quadSwapY(v[2]), quadSwapY(v[3]));
}

// A value at `at` of an image: where the image begins in `output`, and where without gaps.
fn store(image: vec2<u32>, at: u32, v: f32) {
  output[image.x + at] = OUT_TYPE(activate(v, image.y + at));
}

// Four pixels of four m. No branch: SwiftShader compiles in a time that doubles with each one in a row.
fn store_all(image: vec2<u32>, at: vec4<u32>, steps: vec4<u32>, sums: Sums) {
  store_four(image, at + steps.x, sums[0]);
  store_four(image, at + steps.y, sums[1]);
  store_four(image, at + steps.z, sums[2]);
  store_four(image, at + steps.w, sums[3]);
}

fn store_four(image: vec2<u32>, at: vec4<u32>, v: vec4<f32>) {
  store(image, at.x, v.x);
  store(image, at.y, v.y);
  store(image, at.z, v.z);
  store(image, at.w, v.w);
}

// The same where some may be outside: `columns` and `rows` of the four pixels and m that are there.
fn store_some(image: vec2<u32>, at: vec4<u32>, steps: vec4<u32>, v: Sums, columns: u32, rows: u32) {
  var sums = v;
  for (var i = 0u; i < rows; i++) {
    var places = at + steps[i];
    for (var column = 0u; column < columns; column++) {
      store(image, places.x, sums[0].x);
      places = places.yzww;
      sums[0] = sums[0].yzww;
    }
    sums = Sums(sums[1], sums[2], sums[3], sums[3]);
  }
}

@compute @workgroup_size(4, 16)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let group = id.x % 2;
  let side = id.x / 2;
  let rows = size(0); // R4
  let height = size(3);
  let width = size(4);
  let across = size(17);
  let tiles = size(18);
  let tile = group_id.x * 16 + id.y;
  let n = tile / tiles;
  let h = tile % tiles / across * 4;
  let w = tile % across * 8 + side * 4;
  // Past the last row, column or image the last is read again rather than leave: all lanes must take part in swaps.
  let columns = min(w + vec4<u32>(0, 1, 2, 3), vec4(width - 1)) * size(7);
  let image = size(16) + min(n, size(2) - 1) * size(5) + columns;
  let at0 = image + min(h + group * 2, height - 1) * size(6);
  let at1 = image + min(h + group * 2 + 1, height - 1) * size(6);
  let block = rows / 4 + (group_id.y * 2 + group) * (8 + rows * 4);

  // By row of pixels (own, own, the other lane's, and again) and four m (likewise).
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
  for (var r = 0u; r < rows; r += 4) {
    let steps = bitcast<vec4<u32>>(packed[r / 4]);
    let at = block + 8 + r * 4 + side * 2;
    let a0 = transpose(mat4x4(packed[at], packed[at + 4], packed[at + 8], packed[at + 12]));
    let a1 = transpose(mat4x4(packed[at + 1], packed[at + 5], packed[at + 9], packed[at + 13]));
    let a2 = other_side(a0);
    let a3 = other_side(a1);
    let v0 = load(at0, steps);
    s00 += v0 * a0;
    s01 += v0 * a1;
    s02 += v0 * a2;
    s03 += v0 * a3;
    let v1 = load(at1, steps);
    s10 += v1 * a0;
    s11 += v1 * a1;
    s12 += v1 * a2;
    s13 += v1 * a3;
    let v2 = other_group(v0);
    s20 += v2 * a0;
    s21 += v2 * a1;
    s22 += v2 * a2;
    s23 += v2 * a3;
    let v3 = other_group(v1);
    s30 += v3 * a0;
    s31 += v3 * a1;
    s32 += v3 * a2;
    s33 += v3 * a3;
  }

  // A loop that moves what comes next down, for an array of sums indexed by a variable is slow.
  let image_out = vec2(size(11) + n * size(8), n * size(13));
  let row = h + vec4<u32>(group * 2, group * 2 + 1, 2 - group * 2, 3 - group * 2);
  let at = row * size(9);
  let column = (w + vec4<u32>(0, 1, 2, 3)) * size(10);
  let there = min(max(width, w) - w, select(0u, 4u, n < size(2)));
  for (var i = 0u; i < 4; i++) {
    // Four m at a time: this lane's half of the group, then the other.
    let quarter = (i + side * 2) % 4;
    let m = (group_id.y * 2 + group) * 16 + quarter * 4;
    let steps = bitcast<vec4<u32>>(packed[block + quarter]);
    let channels = bitcast<vec4<u32>>(packed[block + 4 + quarter]);
    let b = vec4(bias_of(channels.x), bias_of(channels.y), bias_of(channels.z), bias_of(channels.w));
    let bias4 = Sums(vec4(b.x), vec4(b.y), vec4(b.z), vec4(b.w));
    if ((there == 4) & (h + 3 < height) & (m + 3 < size(1))) {
      store_all(image_out, column + at.x, steps, s00 + bias4);
      store_all(image_out, column + at.y, steps, s10 + bias4);
      store_all(image_out, column + at.z, steps, s20 + bias4);
      store_all(image_out, column + at.w, steps, s30 + bias4);
    } else {
      let rows_there = min(max(size(1), m) - m, 4);
      store_some(image_out, column + at.x, steps, s00 + bias4, select(0u, there, row.x < height), rows_there);
      store_some(image_out, column + at.y, steps, s10 + bias4, select(0u, there, row.y < height), rows_there);
      store_some(image_out, column + at.z, steps, s20 + bias4, select(0u, there, row.z < height), rows_there);
      store_some(image_out, column + at.w, steps, s30 + bias4, select(0u, there, row.w < height), rows_there);
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
