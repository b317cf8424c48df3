// The epilogue of a kernel that serves many layers with one pipeline: bias and activation as epilogue.wgsl, but which of them
// there are is read at run time from the kernel's sizes, words 24 to 27: whether there is a bias, its offset, whether there is a
// relu, and which dropout of the model. Dropout itself is a piece before this one. Needs size().
// Const SIGMOID: 1 where the activation is one. Not read at run time: llvmpipe would compute it for every value.

// Without a bias something else is bound here, and its first word is read for nothing.
@group(0) @binding(8) var<storage, read> bias: array<f32>;

fn bias_of(channel: u32) -> f32 {
  let there = size(24) != 0;
  return select(0.0, bias[select(0, size(25) + channel, there)], there);
}

fn dropout_stream() -> u32 {
  return size(27);
}

// Activation and dropout. `index`: place in the contiguous NCHW output.
fn activate(v: f32, index: u32) -> f32 {
  var a = select(v, max(v, 0.0), size(26) == 1);
  if (SIGMOID == 1) {
    a = 1.0 / (1.0 + exp(-v));
  }
  return passed(a, index);
}
