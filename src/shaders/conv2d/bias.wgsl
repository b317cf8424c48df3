// Epilogue piece: the bias of an output channel. See epilogue.wgsl. Needs bias_offset().

@group(0) @binding(8) var<storage, read> bias: array<f32>;

fn bias_of(channel: u32) -> f32 {
  return bias[bias_offset() + channel];
}
