// Weight gradient as a matrix product by subgroup matrices. Read weight_grad_gemm.wgsl first: this is the same product; and
// matrix.wgsl, which says what such matrices are.
//
//   gw[m,q] = sum over p of gy[m,p] * x[q,p]
//
// Mapping   A subgroup computes 2 x 4 units of UNIT_M x UNIT_N weights, a workgroup SUBGROUPS_M x SUBGROUPS_Q times as much.
//           Tiles of 4 * LANES pixels of both factors go through workgroup memory, rows of them along the pixels as they come,
//           so x is the right factor by columns.
// Dispatch  ceil(C*KH*KW / TILE_Q) x ceil(K / TILE_M) x PARTS workgroups of SUBGROUPS_M * SUBGROUPS_Q subgroups.
// FLOPs     2 * K * C*KH*KW * N*OH*OW, factors in COMPONENT (f16 where the tensors are), sums in f32.
// Bytes     2 or 4 * (x + gy) and 4 * PARTS * gw from memory; through the caches gy * ceil(C*KH*KW / TILE_Q) and
//           x * KH*KW * ceil(K / TILE_M).
// Why fast  As matrix.wgsl. Lanes of one row are neighbours both where they load and where they store.
// Not yet run on a GPU: held to float64 with its products emulated (test/support/emulateMatrices.ts), and compiled by Tint.
// Consts    Those of weight_grad_gemm_input.wgsl; COMPONENT; UNIT_M UNIT_N UNIT_K; SUBGROUP; SUBGROUPS_M SUBGROUPS_Q; PARTS,
//           PART_TILES: tiles of pixels of a part; OUT_OFFSET.

enable subgroups;
enable chromium_experimental_subgroup_matrix;

// [PARTS][K][COLUMNS]
@group(0) @binding(2) var<storage, read_write> part_sums: array<f32>;

const SUBGROUPS = SUBGROUPS_M * SUBGROUPS_Q;
const THREADS = SUBGROUPS * SUBGROUP;
const TILE_M = SUBGROUPS_M * 2 * UNIT_M;
const TILE_Q = SUBGROUPS_Q * 4 * UNIT_N;
const TILE_K = 4 * LANES;
// 16 bytes more than its pixels, so that the rows of a unit begin in different banks.
const ROW = TILE_K + 8;
const UNIT = UNIT_M * UNIT_N;
// From one row that an invocation brings to the next, and how many there are of each factor.
const STEP = THREADS / LANES;
const A_BROUGHT = TILE_M / STEP;
const B_BROUGHT = TILE_Q / STEP;

alias Left = subgroup_matrix_left<COMPONENT, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<COMPONENT, UNIT_N, UNIT_K>;
alias Sums = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

// [row][pixel]
var<workgroup> a_tile: array<COMPONENT, TILE_M * ROW>;
var<workgroup> b_tile: array<COMPONENT, TILE_Q * ROW>;
// [subgroup][m][q], a unit of each.
var<workgroup> results: array<f32, SUBGROUPS * UNIT>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) i: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let first_m = group.y * TILE_M;
  let first_q = group.x * TILE_Q;
  let first = group.z * PART_TILES;
  let end = min(first + PART_TILES, (PIXELS + TILE_K - 1) / TILE_K);

  // What this invocation brings: one lane of every so manyth row.
  let pixel_lane = i % LANES;
  let brought = i / LANES;
  var a: array<vec4<COMPONENT>, A_BROUGHT>;
  var b: array<vec4<COMPONENT>, B_BROUGHT>;

  // What its subgroup computes.
  let m = subgroup % SUBGROUPS_M * (2 * UNIT_M);
  let q = subgroup / SUBGROUPS_M * (4 * UNIT_N);
  var s0: Sums;
  var s1: Sums;
  var s2: Sums;
  var s3: Sums;
  var t0: Sums;
  var t1: Sums;
  var t2: Sums;
  var t3: Sums;

  for (var tile = first; tile <= end; tile++) {
    // Bring `tile` into registers, multiply the one before it, which is in workgroup memory, then exchange.
    if (tile < end) {
      let pixels = pixels_of(tile * TILE_K, pixel_lane);
      for (var j = 0u; j < A_BROUGHT; j++) {
        a[j] = vec4<COMPONENT>(row_of(pixels, first_m + brought + j * STEP));
      }
      for (var j = 0u; j < B_BROUGHT; j++) {
        b[j] = vec4<COMPONENT>(column_of(pixels, first_q + brought + j * STEP));
      }
    }
    if (tile > first) {
      for (var k = 0u; k < TILE_K / UNIT_K; k++) {
        let a_at = m * ROW + k * UNIT_K;
        let b_at = q * ROW + k * UNIT_K;
        let s = subgroupMatrixLoad<Left, row_major>(&a_tile, a_at, ROW);
        let t = subgroupMatrixLoad<Left, row_major>(&a_tile, a_at + UNIT_M * ROW, ROW);
        let b0 = subgroupMatrixLoad<Right, col_major>(&b_tile, b_at, ROW);
        let b1 = subgroupMatrixLoad<Right, col_major>(&b_tile, b_at + UNIT_N * ROW, ROW);
        let b2 = subgroupMatrixLoad<Right, col_major>(&b_tile, b_at + 2 * UNIT_N * ROW, ROW);
        let b3 = subgroupMatrixLoad<Right, col_major>(&b_tile, b_at + 3 * UNIT_N * ROW, ROW);
        s0 = subgroupMatrixMultiplyAccumulate(s, b0, s0);
        s1 = subgroupMatrixMultiplyAccumulate(s, b1, s1);
        s2 = subgroupMatrixMultiplyAccumulate(s, b2, s2);
        s3 = subgroupMatrixMultiplyAccumulate(s, b3, s3);
        t0 = subgroupMatrixMultiplyAccumulate(t, b0, t0);
        t1 = subgroupMatrixMultiplyAccumulate(t, b1, t1);
        t2 = subgroupMatrixMultiplyAccumulate(t, b2, t2);
        t3 = subgroupMatrixMultiplyAccumulate(t, b3, t3);
      }
    }
    workgroupBarrier();
    if (tile < end) {
      for (var j = 0u; j < A_BROUGHT; j++) {
        let at = (brought + j * STEP) * ROW + pixel_lane;
        a_tile[at] = a[j][0];
        a_tile[at + LANES] = a[j][1];
        a_tile[at + 2 * LANES] = a[j][2];
        a_tile[at + 3 * LANES] = a[j][3];
      }
      for (var j = 0u; j < B_BROUGHT; j++) {
        let at = (brought + j * STEP) * ROW + pixel_lane;
        b_tile[at] = b[j][0];
        b_tile[at + LANES] = b[j][1];
        b_tile[at + 2 * LANES] = b[j][2];
        b_tile[at + 3 * LANES] = b[j][3];
      }
    }
    workgroupBarrier();
  }

  let own = subgroup * UNIT;
  let part = OUT_OFFSET + group.z * (K * COLUMNS);
  let row = first_m + m;
  let column = first_q + q;
  put(s0, own, lane, part, row, column);
  put(s1, own, lane, part, row, column + UNIT_N);
  put(s2, own, lane, part, row, column + 2 * UNIT_N);
  put(s3, own, lane, part, row, column + 3 * UNIT_N);
  put(t0, own, lane, part, row + UNIT_M, column);
  put(t1, own, lane, part, row + UNIT_M, column + UNIT_N);
  put(t2, own, lane, part, row + UNIT_M, column + 2 * UNIT_N);
  put(t3, own, lane, part, row + UNIT_M, column + 3 * UNIT_N);
}

// Stores a unit. Which invocation holds which of its sums is not known, so they go through workgroup memory.
fn put(sums: Sums, own: u32, lane: u32, part: u32, m: u32, q: u32) {
  subgroupMatrixStore<row_major>(&results, own, sums, UNIT_N);
  workgroupBarrier();
  for (var e = lane; e < UNIT; e += SUBGROUP) {
    let row = m + e / UNIT_N;
    let column = q + e % UNIT_N;
    if ((row < K) & (column < COLUMNS)) {
      part_sums[part + row * COLUMNS + column] = results[own + e];
    }
  }
  workgroupBarrier();
}
