// Weight gradient as a matrix product through workgroup memory, with 8 x 8 sums an invocation. Read weight_grad_gemm.wgsl first:
// this is that kernel with a larger register tile, for GPUs with registers enough.
//
//   gw[m,q] = sum over p of gy[m,p] * x[q,p]
//
// Mapping   As weight_grad_gemm.wgsl, with 128 x 128 weights a workgroup and tiles of 4 * LANES = 16 pixels.
// Dispatch  ceil(C*KH*KW / 128) x ceil(K / 128) x PARTS workgroups of 256.
// FLOPs     2 * K * C*KH*KW * N*OH*OW.
// Bytes     4 * (x + gy + PARTS * gw) from memory; through the caches half of what weight_grad_gemm.wgsl reads.
// Why fast  A value brought serves 128 multiply-adds of the workgroup, one read from workgroup memory serves 8 of an invocation.
// Not yet timed on a GPU.
// Consts    as weight_grad_gemm.wgsl, LANES being 4.

// [PARTS][K][COLUMNS]
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>;

// Rows and columns of a workgroup; an invocation's are ACROSS apart.
const TILE = 128u;
const ACROSS = 16u;
const STEP = 256 / LANES;

// [lane][row mixed with lane], four p to a vector.
var<workgroup> a_tile: array<vec4<f32>, LANES * TILE>;
var<workgroup> b_tile: array<vec4<f32>, LANES * TILE>;

// Moves row numbers within groups of 8, differently for each lane. Whoever indexes by the result takes it modulo what it is
// below anyway, which costs nothing and tells Tint what it does not see of an exclusive or.
fn mixed(lane: u32, row: u32) -> u32 {
  return row ^ (lane * (8 / LANES));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) i: u32) {
  let first_m = group.y * TILE;
  let first_q = group.x * TILE;
  let first = group.z * PART_TILES;
  let end = min(first + PART_TILES, (PIXELS + 4 * LANES - 1) / (4 * LANES));
  // What this invocation brings: one lane of two rows and two columns.
  let lane = i % LANES;
  let brought = i / LANES;
  let put = lane * TILE + mixed(lane, brought) % STEP;
  var a0 = vec4<f32>();
  var a1 = vec4<f32>();
  var b0 = vec4<f32>();
  var b1 = vec4<f32>();

  // What it computes: rows row, row + ACROSS, ... in the elements of s (the first four) and t, columns column (0),
  // column + ACROSS (1), ...
  let column = i % 8 + i / 32 % 2 * 8;
  let row = i / 8 % 4 + i / 64 * 4;
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();
  var s4 = vec4<f32>();
  var s5 = vec4<f32>();
  var s6 = vec4<f32>();
  var s7 = vec4<f32>();
  var t0 = vec4<f32>();
  var t1 = vec4<f32>();
  var t2 = vec4<f32>();
  var t3 = vec4<f32>();
  var t4 = vec4<f32>();
  var t5 = vec4<f32>();
  var t6 = vec4<f32>();
  var t7 = vec4<f32>();

  for (var tile = first; tile <= end; tile++) {
    // Bring `tile` into registers, multiply the one before it, which is in workgroup memory, then exchange.
    if (tile < end) {
      let pixels = pixels_of(tile * (4 * LANES), lane);
      a0 = row_of(pixels, first_m + brought);
      a1 = row_of(pixels, first_m + brought + STEP);
      b0 = column_of(pixels, first_q + brought);
      b1 = column_of(pixels, first_q + brought + STEP);
    }
    if (tile > first) {
      for (var k = START; k < LANES; k++) {
        let r = k * TILE + mixed(k, row) % ACROSS;
        let near = transpose(mat4x4(a_tile[r], a_tile[r + ACROSS], a_tile[r + 2 * ACROSS], a_tile[r + 3 * ACROSS]));
        let far = transpose(
          mat4x4(a_tile[r + 4 * ACROSS], a_tile[r + 5 * ACROSS], a_tile[r + 6 * ACROSS], a_tile[r + 7 * ACROSS]));
        let c = k * TILE + mixed(k, column) % ACROSS;
        let c0 = b_tile[c];
        s0 = outer(s0, near, c0);
        t0 = outer(t0, far, c0);
        let c1 = b_tile[c + ACROSS];
        s1 = outer(s1, near, c1);
        t1 = outer(t1, far, c1);
        let c2 = b_tile[c + 2 * ACROSS];
        s2 = outer(s2, near, c2);
        t2 = outer(t2, far, c2);
        let c3 = b_tile[c + 3 * ACROSS];
        s3 = outer(s3, near, c3);
        t3 = outer(t3, far, c3);
        let c4 = b_tile[c + 4 * ACROSS];
        s4 = outer(s4, near, c4);
        t4 = outer(t4, far, c4);
        let c5 = b_tile[c + 5 * ACROSS];
        s5 = outer(s5, near, c5);
        t5 = outer(t5, far, c5);
        let c6 = b_tile[c + 6 * ACROSS];
        s6 = outer(s6, near, c6);
        t6 = outer(t6, far, c6);
        let c7 = b_tile[c + 7 * ACROSS];
        s7 = outer(s7, near, c7);
        t7 = outer(t7, far, c7);
      }
    }
    workgroupBarrier();
    if (tile < end) {
      a_tile[put] = a0;
      a_tile[put + STEP] = a1;
      b_tile[put] = b0;
      b_tile[put + STEP] = b1;
    }
    workgroupBarrier();
  }

  // A loop that moves the next column's sums down each time: an index into an array of sums would put them in memory.
  let part = OUT_OFFSET + group.z * (K * COLUMNS);
  for (var j = START; j < 8; j++) {
    let q = first_q + column + j * ACROSS;
    store4(part, first_m + row, q, s0);
    store4(part, first_m + row + 4 * ACROSS, q, t0);
    s0 = s1;
    s1 = s2;
    s2 = s3;
    s3 = s4;
    s4 = s5;
    s5 = s6;
    s6 = s7;
    t0 = t1;
    t1 = t2;
    t2 = t3;
    t3 = t4;
    t4 = t5;
    t5 = t6;
    t6 = t7;
  }
}

fn store4(part: u32, m: u32, q: u32, sums: vec4<f32>) {
  store(part, m, q, sums[0]);
  store(part, m + ACROSS, q, sums[1]);
  store(part, m + 2 * ACROSS, q, sums[2]);
  store(part, m + 3 * ACROSS, q, sums[3]);
}

fn store(part: u32, m: u32, q: u32, sum: f32) {
  if ((m < K) & (q < COLUMNS)) {
    part_sums[part + m * COLUMNS + q] = sum;
  }
}
