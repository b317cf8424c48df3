// Update piece: gradients as they are, of a loss that was not scaled. See scaled.wgsl. Const FIRST: place of the
// run-time scalar `sgdFirst`.

fn skip_step() -> bool {
  return false;
}

fn unscaled(gradient: V) -> V {
  return gradient;
}

fn skipped_steps() -> u32 {
  return 0u;
}

fn is_first_step() -> bool {
  return scalar_u32(FIRST) != 0u;
}
