// Epilogue piece: dropout by common/random.wgsl, with seed and step from common/scalars.wgsl. See epilogue.wgsl.
// Needs dropout_stream(). Consts: SEED, STEP (indices of run-time scalars), DROPOUT_THRESHOLD (p * 2^32),
// DROPOUT_SCALE (1 / (1 - p)).

fn passed(v: f32, index: u32) -> f32 {
  let keep = dropout_keep(scalar_u32(SEED), scalar_u32(STEP), dropout_stream(), index, DROPOUT_THRESHOLD);
  return select(0.0, v * DROPOUT_SCALE, keep);
}
