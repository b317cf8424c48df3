// What happens to a convolution's sum before it is stored: bias, then activation, then dropout, while it is still in a
// register. Each saved pass is one read and one write of the whole output.
// Pieces before this one give bias_of (bias.wgsl or bias_none.wgsl) and passed (dropout.wgsl, relu_grad.wgsl or dropout_none.wgsl).
// Const ACTIVATION: 0 none, 1 relu, 2 sigmoid.

// Activation and dropout. `index`: place in the contiguous NCHW output, whatever its storage is, so that fused and
// separate dropout draw the same mask.
fn activate(v: f32, index: u32) -> f32 {
  var a = v;
  if (ACTIVATION == 1) {
    a = max(v, 0.0);
  } else if (ACTIVATION == 2) {
    a = 1.0 / (1.0 + exp(-v));
  }
  return passed(a, index);
}

// All of it. `channel`: output channel over all groups.
fn epilogue(sum: f32, channel: u32, index: u32) -> f32 {
  return activate(sum + bias_of(channel), index);
}
