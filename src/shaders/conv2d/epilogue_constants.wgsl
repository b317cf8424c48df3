// Epilogue piece: what bias.wgsl and dropout.wgsl need to know of the op, as constants. A kernel that serves many layers
// with one pipeline leaves this piece out and reads the same values from a buffer.
// Consts: BIAS_OFFSET (first element of the bias in its buffer), STREAM (which dropout of the model this is); zero where
// the op has none.

fn bias_offset() -> u32 {
  return BIAS_OFFSET;
}

fn dropout_stream() -> u32 {
  return STREAM;
}
