// Which elements of the V that begins at `index` are kept, where V is f32.

fn kept(key: u32, index: u32) -> VB {
  return random_u32(key, index) >= DROPOUT_THRESHOLD;
}
