enable subgroups;

// Convolution without padding as a matrix product, for adapters that run on the CPU. It serves the forward pass of any
// kernel and stride, and the input gradient (the transposed convolution) where patches neither overlap nor leave gaps.
//
//   out[out_base(p) + out_step[m]] = epilogue( sum over r of in[in_base(p) + in_step[r]] * a[m,r] )
//
//   p: pixels of the smaller image over all images. Forward: r = (c, tap), m = output channel. Input gradient: r = output
//   channel, m = (c, tap). Either way an address is a part for the pixel plus a part for the row of the matrix.
//
// Why       As strips.wgsl: loads are dear on these adapters, shuffles and multiply-adds cheap. A weight is broadcast from
//           the lane that loaded it.
// Mapping   A subgroup of LANES lanes computes 8 x LANES pixels x 8 rows of `m`: a lane holds 64 sums. Four r at a time:
//           32 vectors of pixels and 32 weights are loaded for 256 multiply-adds a lane.
// Dispatch  (ceil(ceil(P / (8 * LANES)) / 4), ceil(M / 8), 1) workgroups of LANES x 4.
// FLOPs     2 * P*M*R.
// Bytes     4 * (in * ceil(M / 8) + out + weights), from caches mostly.
// Consts    LANES: the subgroup size, which must be that of the device (4 or 8). Sizes come from the head of `packed`,
//           written by patches_pack.wgsl, so that one pipeline serves all layers with the same epilogue.

@group(0) @binding(0) var<storage, read> input: array<f32>;
// 24 words of sizes, in_step [R4], out_step [M8], channel [M8], then weights [M8 / 8][R4][8]; R4 and M8 are R and M rounded up.
@group(0) @binding(1) var<storage, read> packed: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

// Eight vectors of pixels.
alias Pixels = mat2x4<f32>;

fn size(i: u32) -> u32 {
  return bitcast<u32>(packed[i]);
}

fn bias_offset() -> u32 {
  return size(14);
}

fn dropout_stream() -> u32 {
  return size(15);
}

// The part of an address that belongs to pixel p: `at` is where batch, row and column steps stand in the head.
fn base(p: u32, at: u32) -> u32 {
  let width = size(4);
  let plane = size(3) * width;
  return p / plane * size(at) + p % plane / width * size(at + 1) + p % width * size(at + 2);
}

struct Bases {
  low: vec4<u32>,
  high: vec4<u32>,
}

// Pixels from `p` on, LANES apart; past the last they read the first.
fn bases(p: u32, at: u32) -> Bases {
  let low = p + vec4<u32>(0, 1, 2, 3) * LANES;
  let high = low + 4 * LANES;
  let last = size(2) - 1;
  return Bases(
    vec4(base(min(low[0], last), at), base(min(low[1], last), at), base(min(low[2], last), at), base(min(low[3], last), at)),
    vec4(base(min(high[0], last), at), base(min(high[1], last), at), base(min(high[2], last), at), base(min(high[3], last), at)),
  );
}

fn load(b: Bases, step: u32) -> Pixels {
  return Pixels(
    input[b.low[0] + step], input[b.low[1] + step], input[b.low[2] + step], input[b.low[3] + step],
    input[b.high[0] + step], input[b.high[1] + step], input[b.high[2] + step], input[b.high[3] + step],
  );
}

// One row of m: four r.
fn products(sum: Pixels, values: ptr<function, array<Pixels, 4>>, weights: ptr<function, array<f32, 8>>, m: u32) -> Pixels {
  var s = sum;
  s += (*values)[0] * subgroupShuffle((*weights)[m / LANES], m % LANES);
  s += (*values)[1] * subgroupShuffle((*weights)[(8 + m) / LANES], m % LANES);
  s += (*values)[2] * subgroupShuffle((*weights)[(16 + m) / LANES], m % LANES);
  s += (*values)[3] * subgroupShuffle((*weights)[(24 + m) / LANES], m % LANES);
  return s;
}

fn store(valid: bool, place: u32, v: f32, index: u32) {
  if (valid) {
    output[place] = activate(v, index);
  }
}

@compute @workgroup_size(LANES, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let lane = id.x;
  let rows = size(0); // R4
  let products_m = size(1); // M
  let pixels = size(2);
  let p = (group.x * 4 + id.y) * 8 * LANES + lane;
  var source = bases(p, 5);
  source.low += size(16);
  source.high += size(16);
  let in_step = 24u;
  let out_step = in_step + rows;
  let channel = out_step + size(12);
  let first = channel + size(12) + group.y * rows * 8;

  var s0 = Pixels();
  var s1 = Pixels();
  var s2 = Pixels();
  var s3 = Pixels();
  var s4 = Pixels();
  var s5 = Pixels();
  var s6 = Pixels();
  var s7 = Pixels();
  for (var r = 0u; r < rows; r += 4) {
    let steps = size(in_step + r + lane % 4);
    var values = array<Pixels, 4>(
      load(source, subgroupShuffle(steps, 0)),
      load(source, subgroupShuffle(steps, 1)),
      load(source, subgroupShuffle(steps, 2)),
      load(source, subgroupShuffle(steps, 3)),
    );
    let at = first + r * 8 + lane;
    var weights: array<f32, 8>;
    weights[0] = packed[at];
    weights[1] = packed[at + LANES];
    weights[2] = packed[at + LANES * 2];
    weights[3] = packed[at + LANES * 3];
    if (LANES == 4) {
      weights[4] = packed[at + 16];
      weights[5] = packed[at + 20];
      weights[6] = packed[at + 24];
      weights[7] = packed[at + 28];
    }
    s0 = products(s0, &values, &weights, 0);
    s1 = products(s1, &values, &weights, 1);
    s2 = products(s2, &values, &weights, 2);
    s3 = products(s3, &values, &weights, 3);
    s4 = products(s4, &values, &weights, 4);
    s5 = products(s5, &values, &weights, 5);
    s6 = products(s6, &values, &weights, 6);
    s7 = products(s7, &values, &weights, 7);
  }

  // A loop over m, which moves the next one's sums down each time, as in strips.wgsl.
  let target_of = bases(p, 8);
  let offset = size(11);
  let batch = size(8); // step between images in storage, and without gaps:
  let image = size(13);
  let plane = size(3) * size(4);
  for (var i = 0u; i < 8; i++) {
    let m = group.y * 8 + i;
    if (m < products_m) {
      let step = size(out_step + m);
      let b = bias_of(size(channel + m));
      for (var half = 0u; half < 2; half++) {
        let q = p + half * 4 * LANES;
        let where_to = select(target_of.low, target_of.high, half == 1) + step;
        let n = vec4(q, q + LANES, q + 2 * LANES, q + 3 * LANES) / plane;
        let index = where_to - n * batch + n * image;
        let v = select(s0[0], s0[1], half == 1) + b;
        store(q < pixels, offset + where_to[0], v[0], index[0]);
        store(q + LANES < pixels, offset + where_to[1], v[1], index[1]);
        store(q + 2 * LANES < pixels, offset + where_to[2], v[2], index[2]);
        store(q + 3 * LANES < pixels, offset + where_to[3], v[3], index[3]);
      }
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
