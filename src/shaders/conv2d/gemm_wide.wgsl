// Convolution as a matrix product through workgroup memory, with 8 x 8 sums an invocation. Read gemm.wgsl first: this is that
// kernel with a larger register tile, for GPUs with registers enough (about 110 of them here; with half as many sums
// would spill).
//
//   out[m,p] = epilogue( sum over r of a[m,r] * in[r,p] )
//
// Mapping   As gemm.wgsl. An invocation's rows are two vectors of 4, half a tile apart, so that neighbouring lanes still
//           read neighbouring vectors.
// Dispatch  As gemm.wgsl, THREADS = TILE_M * TILE_P / 64 a workgroup.
// FLOPs     2 * M*P*R.
// Bytes     4 * (in + a + out) from memory; through the caches in * ceil(M / TILE_M) and a * ceil(P / TILE_P). A 128 x 128 tile
//           does 64 multiply-adds for each value brought.
// Why fast  A value from workgroup memory serves 8 multiply-adds: 4 vec4 reads for 64, where gemm.wgsl has 2 for 16. An NVIDIA
//           multiprocessor does 128 multiply-adds and reads 128 bytes of workgroup memory a cycle, and a vec4 takes a
//           subgroup two reads at least (NervanaSystems/maxas, issue 8): 64 sums use that memory half of the time, 16 all of
//           it. And 64 independent sums hide the latency of a multiply-add where few subgroups fit.
// Not yet timed on a GPU.
// Consts    as gemm.wgsl.

// [K_TILES * TILE_K][ceil(M / TILE_M) * TILE_M / 4]
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;

const TILE_M4 = TILE_M / 4;
const ROW_M4 = (M + TILE_M - 1) / TILE_M * TILE_M4;
const PIXEL_TILES = (PIXELS + TILE_P - 1) / TILE_P;
const ACROSS = TILE_P / 8;
const B_VECTORS = TILE_K / 4 * TILE_P;
// Each invocation brings one vector of a_tile, and one or two of b_tile.
const_assert TILE_K * TILE_M4 == THREADS;

// [k][m / 4], four m to a vector.
var<workgroup> a_tile: array<vec4<f32>, THREADS>;
// [k / 4][p], four k to a vector.
var<workgroup> b_tile: array<vec4<f32>, B_VECTORS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) i: u32) {
  let job = group.x + group.z * GRID_X;
  if (job >= PIXEL_TILES * PARTS) {
    return;
  }
  let part = job / PIXEL_TILES;
  let first_p = job % PIXEL_TILES * TILE_P;
  let first = part * PART_TILES;
  let end = min(first + PART_TILES, K_TILES);

  // What this invocation brings: vector i of both tiles, and of b_tile, where there is one, i + THREADS, both of one pixel.
  let a_from = i / TILE_M4 * ROW_M4 + group.y * TILE_M4 + i % TILE_M4;
  let pixel = pixel_of(first_p + i % TILE_P);
  let b_k = i / TILE_P * 4;
  var a = vec4<f32>();
  var b = vec4<f32>();
  var b_next = vec4<f32>();

  // What it computes: rows 4 * row to 4 * row + 3 (s) and those half a tile further (t); pixels column, column + ACROSS, ...
  let column = i % 8 + i / 32 % (ACROSS / 8) * 8;
  let row = i / 8 % 4 + i / (4 * ACROSS) * 4;
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
      a = packed[a_from + tile * (TILE_K * ROW_M4)];
      b = four_rows(tile, b_k, pixel);
      if (B_VECTORS > THREADS) {
        b_next = four_rows(tile, b_k + THREADS / TILE_P * 4, pixel);
      }
    }
    if (tile > first) {
      for (var k = START; k < TILE_K / 4; k++) {
        let at = k * (4 * TILE_M4) + row;
        let near = mat4x4(a_tile[at], a_tile[at + TILE_M4], a_tile[at + 2 * TILE_M4], a_tile[at + 3 * TILE_M4]);
        let middle = at + TILE_M4 / 2;
        let far = mat4x4(a_tile[middle], a_tile[middle + TILE_M4], a_tile[middle + 2 * TILE_M4], a_tile[middle + 3 * TILE_M4]);
        let b_at = k * TILE_P + column;
        let b0 = b_tile[b_at];
        s0 = outer(s0, near, b0);
        t0 = outer(t0, far, b0);
        let b1 = b_tile[b_at + ACROSS];
        s1 = outer(s1, near, b1);
        t1 = outer(t1, far, b1);
        let b2 = b_tile[b_at + 2 * ACROSS];
        s2 = outer(s2, near, b2);
        t2 = outer(t2, far, b2);
        let b3 = b_tile[b_at + 3 * ACROSS];
        s3 = outer(s3, near, b3);
        t3 = outer(t3, far, b3);
        let b4 = b_tile[b_at + 4 * ACROSS];
        s4 = outer(s4, near, b4);
        t4 = outer(t4, far, b4);
        let b5 = b_tile[b_at + 5 * ACROSS];
        s5 = outer(s5, near, b5);
        t5 = outer(t5, far, b5);
        let b6 = b_tile[b_at + 6 * ACROSS];
        s6 = outer(s6, near, b6);
        t6 = outer(t6, far, b6);
        let b7 = b_tile[b_at + 7 * ACROSS];
        s7 = outer(s7, near, b7);
        t7 = outer(t7, far, b7);
      }
    }
    workgroupBarrier();
    if (tile < end) {
      a_tile[i] = a;
      b_tile[i] = b;
      if (B_VECTORS > THREADS) {
        b_tile[i + THREADS] = b_next;
      }
    }
    workgroupBarrier();
  }

  // A loop that moves the next pixel's sums down each time: an index into an array of sums would put them in memory.
  let m = group.y * TILE_M + row * 4;
  for (var j = START; j < 8; j++) {
    let place = target_of(part, first_p + column + j * ACROSS);
    store4(place, m, s0);
    store4(place, m + TILE_M / 2, t0);
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
