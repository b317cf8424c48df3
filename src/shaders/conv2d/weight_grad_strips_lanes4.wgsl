// Output channels of a lane of weight_grad_strips.wgsl with subgroups of 4: two, four apart, so that a shuffle of x, which is dear
// where subgroups are small, serves as many products as with 8. The other is weight_grad_strips_lanes8.wgsl.

const LANES = 4u;
alias Value = vec2<f32>;
alias Index = vec2<u32>;
alias Inside = vec2<bool>;

fn channels_of(k: u32) -> Index {
  return vec2(k, k + 4);
}

fn values(at: Index) -> Value {
  return vec2(f32(gy[at.x]), f32(gy[at.y]));
}

fn store(at: Index, inside: Inside, s: Sums) {
  if (inside.x) {
    part_sums[at.x] = s[0].x;
    part_sums[at.x + 1] = s[1].x;
    part_sums[at.x + 2] = s[2].x;
    part_sums[at.x + 3] = s[3].x;
    part_sums[at.x + 4] = s[4].x;
    part_sums[at.x + 5] = s[5].x;
    part_sums[at.x + 6] = s[6].x;
    part_sums[at.x + 7] = s[7].x;
    part_sums[at.x + 8] = s[8].x;
  }
  if (inside.y) {
    part_sums[at.y] = s[0].y;
    part_sums[at.y + 1] = s[1].y;
    part_sums[at.y + 2] = s[2].y;
    part_sums[at.y + 3] = s[3].y;
    part_sums[at.y + 4] = s[4].y;
    part_sums[at.y + 5] = s[5].y;
    part_sums[at.y + 6] = s[6].y;
    part_sums[at.y + 7] = s[7].y;
    part_sums[at.y + 8] = s[8].y;
  }
}
