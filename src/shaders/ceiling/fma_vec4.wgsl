// Multiply-add rate, vec4 form.
//
// What: each invocation keeps 8 independent chains of vec4 a = a * m + b in registers and adds them up at the end.
// Mapping: one invocation a set of chains; dispatch is one-dimensional, WORKGROUP wide.
// Work: rounds * 4 * 8 vec4 multiply-adds an invocation, eight FLOPs each; 4 bytes written.
// Why: beside the scalar form it tells whether an adapter cares for vectors. A GPU runs a vec4 as four scalars; a
// software adapter that already runs invocations side by side in SIMD lanes should not care either, but may run out of
// registers sooner. m and b come from memory, so nothing can be folded away; with m < 1 the chains stay finite.
//
// Constants: WORKGROUP, FUSED (true: the built-in fma; false: a * m + b, which the compiler may fuse).

struct Setup {
  m: f32,
  b: f32,
  rounds: u32,
}

@group(0) @binding(0) var<storage, read> setup: Setup;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

fn step(a: vec4<f32>, m: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (FUSED) {
    return fma(a, m, b);
  }
  return a * m + b;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = vec4<f32>(setup.m);
  let b = vec4<f32>(setup.b);
  let x = vec4<f32>(0.0, 0.1, 0.2, 0.3) + f32(id.x & 255u) * 0.001;
  var a0 = x;
  var a1 = x + 0.01;
  var a2 = x + 0.02;
  var a3 = x + 0.03;
  var a4 = x + 0.04;
  var a5 = x + 0.05;
  var a6 = x + 0.06;
  var a7 = x + 0.07;
  for (var round = 0u; round < setup.rounds; round++) {
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
  }
  let sum = (a0 + a1 + a2 + a3) + (a4 + a5 + a6 + a7);
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}
