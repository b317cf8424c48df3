// Which elements of the V that begins at `index` are kept, where V is vec4<f32>.

fn kept(key: u32, index: u32) -> VB {
  let bits = VU(
    random_u32(key, index),
    random_u32(key, index + 1u),
    random_u32(key, index + 2u),
    random_u32(key, index + 3u),
  );
  return bits >= VU(DROPOUT_THRESHOLD);
}
