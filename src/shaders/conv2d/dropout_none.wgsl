// Epilogue piece where all passes. See epilogue.wgsl.

fn passed(v: f32, index: u32) -> f32 {
  return v;
}
