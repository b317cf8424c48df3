// Convolution as a matrix product through workgroup memory (implicit GEMM): 4 x 4 sums an invocation. Made for GPUs.
//
//   out[m,p] = epilogue( sum over r of a[m,r] * in[r,p] )
//
//   m: channel of the result; p: pixel over all images; r: (channel, tap). in[r,p] is never written out: gemm_input.wgsl
//   says which element of the image it is. a is the filter as gemm_pack.wgsl lays it out. The input gradient is the same
//   product over gy with other numbers: see conv2dGemm.ts.
//
// Mapping   A workgroup computes TILE_M x TILE_P sums. For each tile of TILE_K r it brings TILE_K x (TILE_M + TILE_P)
//           values into workgroup memory, then every invocation multiplies its 4 rows with its 4 pixels. The next tile is
//           on its way from memory to registers meanwhile.
// Dispatch  (x, y, z): y tiles of m; x + z * GRID_X counts tiles of p, and with PARTS > 1 parts of the r too, whose
//           sums gemm_finish.wgsl adds. THREADS = TILE_M * TILE_P / 16 a workgroup.
// FLOPs     2 * M*P*R (what the tiles round up to is computed too).
// Bytes     4 * (in + a + out) from memory; through the caches in * ceil(M / TILE_M) and a * ceil(P / TILE_P). A 64 x 64 tile
//           does 32 multiply-adds for each value brought.
// Why fast  A value from workgroup memory serves 4 multiply-adds: 2 vec4 reads for 16. Every access to it is a whole vec4 by
//           neighbouring lanes at neighbouring places, and a subgroup of 32 covers 8 x 4 invocations, so that it reads 8
//           and 4 different vectors: no two lanes meet in a bank, and no padding is needed.
// Not yet timed on a GPU.
// Consts    those of gemm_input.wgsl and gemm_output.wgsl; TILE_M, TILE_P, TILE_K, THREADS; K_TILES: tiles of r; PARTS,
//           PART_TILES: tiles of a part; GRID_X. Pieces: unrolled or rolled.

// [K_TILES * TILE_K][ceil(M / TILE_M) * TILE_M / 4]
@group(0) @binding(1) var<storage, read> packed: array<vec4<f32>>;

const TILE_M4 = TILE_M / 4;
const ROW_M4 = (M + TILE_M - 1) / TILE_M * TILE_M4;
const PIXEL_TILES = (PIXELS + TILE_P - 1) / TILE_P;
const ACROSS = TILE_P / 4;
const A_VECTORS = TILE_K * TILE_M4;
// Each invocation brings one vector of b_tile.
const_assert TILE_K / 4 * TILE_P == THREADS;

// [k][m / 4], four m to a vector.
var<workgroup> a_tile: array<vec4<f32>, A_VECTORS>;
// [k / 4][p], four k to a vector, so that lanes read global memory along p and still store vectors.
var<workgroup> b_tile: array<vec4<f32>, THREADS>;

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

  // What this invocation brings: vector i of a_tile, where there is one, and of b_tile.
  let a_from = i / TILE_M4 * ROW_M4 + group.y * TILE_M4 + i % TILE_M4;
  let pixel = pixel_of(first_p + i % TILE_P);
  let b_k = i / TILE_P * 4;
  var a = vec4<f32>();
  var b = vec4<f32>();

  // What it computes: rows 4 * row to 4 * row + 3, pixels column, column + ACROSS, ...
  let column = i % 8 + i / 32 % (ACROSS / 8) * 8;
  let row = i / 8 % 4 + i / (4 * ACROSS) * 4;
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();

  for (var tile = first; tile <= end; tile++) {
    // Bring `tile` into registers, multiply the one before it, which is in workgroup memory, then exchange.
    if (tile < end) {
      if (i < A_VECTORS) {
        a = packed[a_from + tile * (TILE_K * ROW_M4)];
      }
      b = four_rows(tile, b_k, pixel);
    }
    if (tile > first) {
      for (var k = START; k < TILE_K / 4; k++) {
        let at = k * (4 * TILE_M4) + row;
        let rows = mat4x4(a_tile[at], a_tile[at + TILE_M4], a_tile[at + 2 * TILE_M4], a_tile[at + 3 * TILE_M4]);
        let b_at = k * TILE_P + column;
        s0 = outer(s0, rows, b_tile[b_at]);
        s1 = outer(s1, rows, b_tile[b_at + ACROSS]);
        s2 = outer(s2, rows, b_tile[b_at + 2 * ACROSS]);
        s3 = outer(s3, rows, b_tile[b_at + 3 * ACROSS]);
      }
    }
    workgroupBarrier();
    if (tile < end) {
      if (i < A_VECTORS) {
        a_tile[i] = a;
      }
      b_tile[i] = b;
    }
    workgroupBarrier();
  }

  // A loop that moves the next pixel's sums down each time: an index into an array of sums would put them in memory.
  let m = group.y * TILE_M + row * 4;
  for (var j = START; j < 4; j++) {
    store4(target_of(part, first_p + column + j * ACROSS), m, s0);
    s0 = s1;
    s1 = s2;
    s2 = s3;
  }
}
