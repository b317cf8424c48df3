// Run-time scalars of a program (learning rate, step, seed, ...), written once a step.
// Const NUM_SCALARS: how many there is room for, a multiple of 4.

@group(0) @binding(15) var<uniform> scalars: array<vec4<u32>, NUM_SCALARS / 4>;

fn scalar_u32(i: u32) -> u32 {
  return scalars[i / 4][i % 4];
}

fn scalar_f32(i: u32) -> f32 {
  return bitcast<f32>(scalar_u32(i));
}
