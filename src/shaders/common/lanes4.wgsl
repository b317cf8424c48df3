// Four neighbouring elements at a time: one 16-byte load or store, and a quarter of the index arithmetic. The other
// is lanes1.wgsl; a kernel written for V runs with either.

const LANES = 4u;
alias V = vec4<f32>;
alias VU = vec4<u32>;
alias VI = vec4<i32>;
alias VB = vec4<bool>;

fn lanes_sum(v: V) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}
