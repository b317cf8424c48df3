// Convolution as a matrix product by subgroup matrices: the units that NVIDIA calls tensor cores, Intel XMX and Apple
// simdgroup matrices. Read gemm.wgsl first: this is the same product.
//
//   out[m,p] = epilogue( sum over r of a[m,r] * in[r,p] )
//
// Mapping   A subgroup computes 2 x 4 units of UNIT_M x UNIT_N sums, a workgroup SUBGROUPS_M x SUBGROUPS_P times as much.
//           Tiles of `in` go through workgroup memory, since a unit's factor must lie in memory as a matrix and `in` never
//           does; the next tile is on its way to registers meanwhile. The filter lies there as a matrix (gemm_pack.wgsl) and
//           is loaded from where it is: all workgroups read the same few KiB, which stay in the first-level cache.
// Dispatch  As gemm.wgsl, with SUBGROUPS_M * SUBGROUPS_P subgroups a workgroup.
// FLOPs     2 * M*P*R, factors in COMPONENT (f16 where the tensors are), sums in f32.
// Bytes     As gemm.wgsl; in f16 half of it.
// Why fast  One instruction of a subgroup multiplies two units: 4096 multiply-adds in f16 on NVIDIA. Of what it needs, a unit of
//           the filter serves 4 products and one of `in` 2.
// Why so    The sums are eight variables and not an array, since a matrix cannot be kept in memory between two uses; a compiler
//           that did not unroll a loop over them would have to. Rows of b_tile are 16 bytes longer than its pixels, so that
//           the rows of a unit begin in different banks.
// Not yet run on a GPU: held to float64 with its products emulated (test/support/emulateMatrices.ts), and compiled by Tint.
// Consts    Those of gemm_input.wgsl and gemm_output.wgsl; COMPONENT: f16 or f32; UNIT_M UNIT_N UNIT_K; SUBGROUP: invocations of
//           one; SUBGROUPS_M SUBGROUPS_P; TILE_M TILE_P: their units' sums; THREADS; TILE_K; K_TILES, PARTS, PART_TILES, GRID_X as
//           gemm.wgsl.

enable subgroups;
enable chromium_experimental_subgroup_matrix;

// [ceil(M / TILE_M) * TILE_M][A_ROW]
@group(0) @binding(1) var<storage, read> packed: array<COMPONENT>;

const PIXEL_TILES = (PIXELS + TILE_P - 1) / TILE_P;
const SUBGROUPS = SUBGROUPS_M * SUBGROUPS_P;
const A_ROW = max(K_TILES, 1) * TILE_K;
const B_ROW = TILE_P + 8;
const UNIT = UNIT_M * UNIT_N;
// Groups of four r of one pixel that an invocation brings of a tile.
const BROUGHT = TILE_K / 4 * TILE_P / THREADS;

alias Left = subgroup_matrix_left<COMPONENT, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<COMPONENT, UNIT_N, UNIT_K>;
alias Sums = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

// [k][p]
var<workgroup> b_tile: array<COMPONENT, TILE_K * B_ROW>;
// [subgroup][m][p], a unit of each.
var<workgroup> results: array<f32, SUBGROUPS * UNIT>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) i: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let job = group.x + group.z * GRID_X;
  if (job >= PIXEL_TILES * PARTS) {
    return;
  }
  let part = job / PIXEL_TILES;
  let first_p = job % PIXEL_TILES * TILE_P;
  let first = part * PART_TILES;
  let end = min(first + PART_TILES, K_TILES);

  // What this invocation brings: all of one pixel, 4 * b_step rows apart.
  let b_p = i % TILE_P;
  let b_k = i / TILE_P * 4;
  let b_step = THREADS / TILE_P * 4;
  let pixel = pixel_of(first_p + b_p);
  var b: array<vec4<COMPONENT>, BROUGHT>;

  // What its subgroup computes.
  let m = group.y * TILE_M + subgroup % SUBGROUPS_M * (2 * UNIT_M);
  let p = subgroup / SUBGROUPS_M * (4 * UNIT_N);
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
      for (var j = 0u; j < BROUGHT; j++) {
        b[j] = vec4<COMPONENT>(four_rows(tile, b_k + j * b_step, pixel));
      }
    }
    if (tile > first) {
      for (var k = 0u; k < TILE_K / UNIT_K; k++) {
        let a_at = m * A_ROW + (tile - 1) * TILE_K + k * UNIT_K;
        let b_at = k * UNIT_K * B_ROW + p;
        let s = subgroupMatrixLoad<Left, row_major>(&packed, a_at, A_ROW);
        let t = subgroupMatrixLoad<Left, row_major>(&packed, a_at + UNIT_M * A_ROW, A_ROW);
        let b0 = subgroupMatrixLoad<Right, row_major>(&b_tile, b_at, B_ROW);
        let b1 = subgroupMatrixLoad<Right, row_major>(&b_tile, b_at + UNIT_N, B_ROW);
        let b2 = subgroupMatrixLoad<Right, row_major>(&b_tile, b_at + 2 * UNIT_N, B_ROW);
        let b3 = subgroupMatrixLoad<Right, row_major>(&b_tile, b_at + 3 * UNIT_N, B_ROW);
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
      for (var j = 0u; j < BROUGHT; j++) {
        let at = (b_k + j * b_step) * B_ROW + b_p;
        b_tile[at] = b[j][0];
        b_tile[at + B_ROW] = b[j][1];
        b_tile[at + 2 * B_ROW] = b[j][2];
        b_tile[at + 3 * B_ROW] = b[j][3];
      }
    }
    workgroupBarrier();
  }

  let own = subgroup * UNIT;
  let at = first_p + p;
  put(s0, own, lane, part, m, at);
  put(s1, own, lane, part, m, at + UNIT_N);
  put(s2, own, lane, part, m, at + 2 * UNIT_N);
  put(s3, own, lane, part, m, at + 3 * UNIT_N);
  put(t0, own, lane, part, m + UNIT_M, at);
  put(t1, own, lane, part, m + UNIT_M, at + UNIT_N);
  put(t2, own, lane, part, m + UNIT_M, at + 2 * UNIT_N);
  put(t3, own, lane, part, m + UNIT_M, at + 3 * UNIT_N);
}

// Stores a unit. Which invocation holds which of its sums is not known, so they go through workgroup memory.
fn put(sums: Sums, own: u32, lane: u32, part: u32, m: u32, p: u32) {
  subgroupMatrixStore<row_major>(&results, own, sums, UNIT_N);
  workgroupBarrier();
  for (var e = lane; e < UNIT; e += SUBGROUP) {
    store(target_of(part, p + e % UNIT_N), m + e / UNIT_N, results[own + e]);
  }
  workgroupBarrier();
}
