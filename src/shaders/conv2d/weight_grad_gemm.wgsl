// Weight gradient as a matrix product through workgroup memory (implicit GEMM): 4 x 4 sums an invocation. Made for GPUs.
//
//   gw[m,q] = sum over p of gy[m,p] * x[q,p]      m: channel of y; q: (channel of x, tap); p: pixel over all images
//
//   x[q,p] is never written out: weight_grad_gemm_input.wgsl (or _input4) says which element of the image it is.
//
// Mapping   A workgroup computes 64 x 64 weights over the pixels of one part. For each tile of 4 * LANES = 32 pixels it brings
//           2 x 64 x 32 values into workgroup memory, then every invocation multiplies its 4 rows with its 4 columns. The next
//           tile is on its way to registers meanwhile. Few weights over many pixels are split along the pixels into PARTS;
//           reduce_parts.wgsl adds them in order, so the bits are the same each time.
// Dispatch  ceil(C*KH*KW / 64) x ceil(K / 64) x PARTS workgroups of 256: those of one part together, for they read the same
//           pixels from the cache.
// FLOPs     2 * K * C*KH*KW * N*OH*OW (what the tiles round up to is computed too).
// Bytes     4 * (x + gy + PARTS * gw) from memory; through the caches gy * ceil(C*KH*KW / 64) and x * KH*KW * ceil(K / 64).
// Why fast  Both factors are contiguous along p, which is summed over, so a vector holds four p: then nothing need be turned
//           round on the way to workgroup memory. Vectors of one row lie 64 apart there, which would put neighbouring lanes
//           in one bank as they are stored; so a row's number is mixed with the lane's (swizzle). It costs one operation and
//           no memory, where padding would pass the 16 KiB that every device has.
// Not yet timed on a GPU.
// Consts    those of weight_grad_gemm_input.wgsl, LANES being 8; PARTS, PART_TILES: tiles of pixels of a part; OUT_OFFSET.
//           Pieces: unrolled or rolled.

// [PARTS][K][COLUMNS]
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>;

// Rows and columns of a workgroup; an invocation's are ACROSS apart.
const TILE = 64u;
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

  // What it computes: rows row, row + ACROSS, ... in the elements of columns column (s0), column + ACROSS (s1), ...
  let column = i % 8 + i / 32 % 2 * 8;
  let row = i / 8 % 4 + i / 64 * 4;
  var s0 = vec4<f32>();
  var s1 = vec4<f32>();
  var s2 = vec4<f32>();
  var s3 = vec4<f32>();

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
        let c = k * TILE + mixed(k, column) % ACROSS;
        let rows = transpose(mat4x4(a_tile[r], a_tile[r + ACROSS], a_tile[r + 2 * ACROSS], a_tile[r + 3 * ACROSS]));
        s0 = outer(s0, rows, b_tile[c]);
        s1 = outer(s1, rows, b_tile[c + ACROSS]);
        s2 = outer(s2, rows, b_tile[c + 2 * ACROSS]);
        s3 = outer(s3, rows, b_tile[c + 3 * ACROSS]);
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
  let m = first_m + row;
  for (var j = START; j < 4; j++) {
    let q = first_q + column + j * ACROSS;
    store(part, m, q, s0[0]);
    store(part, m + ACROSS, q, s0[1]);
    store(part, m + 2 * ACROSS, q, s0[2]);
    store(part, m + 3 * ACROSS, q, s0[3]);
    s0 = s1;
    s1 = s2;
    s2 = s3;
  }
}

fn store(part: u32, m: u32, q: u32, sum: f32) {
  if ((m < K) & (q < COLUMNS)) {
    part_sums[part + m * COLUMNS + q] = sum;
  }
}
