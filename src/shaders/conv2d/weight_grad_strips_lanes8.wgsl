// Output channels of a lane of weight_grad_strips.wgsl with subgroups of 8: one. The other is weight_grad_strips_lanes4.wgsl.

const LANES = 8u;
alias Value = f32;
alias Index = u32;
alias Inside = bool;

fn channels_of(k: u32) -> Index {
  return k;
}

fn values(at: Index) -> Value {
  return f32(gy[at]);
}

fn store(at: Index, inside: Inside, s: Sums) {
  if (inside) {
    part_sums[at] = s[0];
    part_sums[at + 1] = s[1];
    part_sums[at + 2] = s[2];
    part_sums[at + 3] = s[3];
    part_sums[at + 4] = s[4];
    part_sums[at + 5] = s[5];
    part_sums[at + 6] = s[6];
    part_sums[at + 7] = s[7];
    part_sums[at + 8] = s[8];
  }
}
