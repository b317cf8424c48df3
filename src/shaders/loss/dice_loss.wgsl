// Dice loss from its three sums: 1 - (2 sum(p t) + smooth) / (sum p + sum t + smooth).
//
// Mapping   one invocation: there is one number to make.
// Dispatch  one workgroup.
//
// Consts: SUMS_OFFSET, SUMS_STEP: where sum(p t), sum(p), sum(t) lie; LOSS_OFFSET; SMOOTH: f32.

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;

@compute @workgroup_size(1)
fn main() {
  let both = sums[SUMS_OFFSET];
  let of_p = sums[SUMS_OFFSET + SUMS_STEP];
  let of_t = sums[SUMS_OFFSET + 2u * SUMS_STEP];
  loss[LOSS_OFFSET] = 1.0 - (2.0 * both + SMOOTH) / (of_p + of_t + SMOOTH);
}
