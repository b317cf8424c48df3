// One element at a time: for sizes, offsets or strides that are not multiples of four. The other is lanes4.wgsl; a
// kernel written for V runs with either.

const LANES = 1u;
alias V = f32;
alias VU = u32;
alias VI = i32;
alias VB = bool;

fn lanes_sum(v: V) -> f32 {
  return v;
}
