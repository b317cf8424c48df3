// Counter-based random numbers: a number is a hash of where it is used, so it can be made again at any time (the
// backward pass recomputes a dropout mask rather than storing it) and does not depend on which kernel or thread asks.

// Mixes 32 bits so that each bit of the input changes each bit of the result with a chance near one half.
fn random_mix(v: u32) -> u32 {
  var h = v;
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return h ^ (h >> 16u);
}

// What is the same for a whole dispatch: which run, which step, which random op of the model.
fn random_key(seed: u32, step: u32, stream: u32) -> u32 {
  return random_mix(seed ^ random_mix(step ^ random_mix(stream + 0x9e3779b9u)));
}

// 32 uniform bits for element `index` under `key`. The key enters twice, before and after a mix, so that two keys
// never give permutations of one sequence.
fn random_u32(key: u32, index: u32) -> u32 {
  return random_mix(random_mix(index + key) ^ (key * 0x9e3779b1u + 0x85ebca6bu));
}

// Uniform in [0, 1), 24 bits.
fn random_f32(key: u32, index: u32) -> f32 {
  return f32(random_u32(key, index) >> 8u) * 0x1p-24f;
}

// Whether dropout keeps element `index` (its place in the contiguous tensor). `threshold` is p * 2^32, rounded.
fn dropout_keep(seed: u32, step: u32, stream: u32, index: u32, threshold: u32) -> bool {
  return random_u32(random_key(seed, step, stream), index) >= threshold;
}
