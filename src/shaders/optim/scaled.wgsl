// Update piece: gradients of a scaled loss. A step whose gradients overflowed changes nothing, and is not counted by
// what depends on the number of steps. Needs scaler_state.wgsl. Const RUN_STEP: place of the run-time scalar `step`.

@group(0) @binding(14) var<storage, read> scaler: array<f32>;

fn skip_step() -> bool {
  return scaler[OVERFLOWED] != 0.0;
}

fn unscaled(gradient: V) -> V {
  return gradient * scaler[UNSCALE];
}

fn skipped_steps() -> u32 {
  return u32(scaler[SKIPPED]);
}

fn is_first_step() -> bool {
  return scalar_u32(RUN_STEP) == skipped_steps();
}
