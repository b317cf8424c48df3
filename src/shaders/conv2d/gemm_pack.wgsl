// Lays a filter out for gemm.wgsl, gemm_wide.wgsl (rows of r, m contiguous) and matrix.wgsl (rows of m, r contiguous), r in the
// order of gemm_input.wgsl; zeros where M or R are rounded up.
//
//   packed[r * R_STEP + m * PACKED_M_STEP] = weight[WEIGHT_OFFSET + m * M_STEP + c * C_STEP + TAP_FIRST + row of tap * TAP_STEP_H + column of tap * TAP_STEP_W]
//
// Forward takes taps as they are, the input gradient turned round or every so manyth: all are steps.
//
// Mapping   one invocation, one m and c with all taps. Lanes run along m, so stores are contiguous; the taps of neighbouring c
//           come from the same lines of the cache.
// Dispatch  ceil(M_ROW / 32) x ceil(C_ROWS / 8) workgroups of 32 x 8.
// Bytes     4 * (weight + packed).
// Consts    M, C; M_ROW: M rounded up; ROWS: all rows; C_ROWS: channels with which they are filled; TAPS, KW: taps of this
//           product; TILE_K, ONE_TAP as there; the steps, which may be negative;
//           R_STEP, PACKED_M_STEP; WEIGHT_TYPE, PACKED_TYPE: f32 or f16.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<PACKED_TYPE>;

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = id.x;
  let c = id.y;
  if (m >= M_ROW || c >= C_ROWS) {
    return;
  }
  let inside = (m < M) & (c < C);
  let start = i32(WEIGHT_OFFSET + m * M_STEP + c * C_STEP) + TAP_FIRST;
  for (var tap = 0u; tap < TAPS; tap++) {
    let row = select(c * TAPS + tap, (c / TILE_K * TAPS + tap) * TILE_K + c % TILE_K, ONE_TAP);
    if (row < ROWS) {
      let at = start + i32(tap / KW) * TAP_STEP_H + i32(tap % KW) * TAP_STEP_W;
      packed[row * R_STEP + m * PACKED_M_STEP] =
        PACKED_TYPE(select(0.0, f32(weight[select(WEIGHT_OFFSET, u32(at), inside)]), inside));
    }
  }
}
