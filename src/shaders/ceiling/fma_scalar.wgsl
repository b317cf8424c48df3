// Multiply-add rate, scalar form.
//
// What: each invocation keeps 16 independent chains a = a * m + b in registers and adds them up at the end.
// Mapping: one invocation a set of chains; dispatch is one-dimensional, WORKGROUP wide.
// Work: rounds * 4 * 16 multiply-adds an invocation, two FLOPs each; 4 bytes written.
// Why: sixteen chains hide the latency of each; the body is written out because some compilers leave a loop of eight
// rolled and then spend most of their time counting. m and b come from memory, so nothing can be folded away, and
// with m < 1 every chain stays near b / (1 - m): no infinities, no denormals.
//
// Constants: WORKGROUP, FUSED (true: the built-in fma; false: a * m + b, which the compiler may fuse).

struct Setup {
  m: f32,
  b: f32,
  rounds: u32,
}

@group(0) @binding(0) var<storage, read> setup: Setup;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

fn step(a: f32, m: f32, b: f32) -> f32 {
  if (FUSED) {
    return fma(a, m, b);
  }
  return a * m + b;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = setup.m;
  let b = setup.b;
  let x = f32(id.x & 255u) * 0.001;
  var a0 = x;
  var a1 = x + 0.01;
  var a2 = x + 0.02;
  var a3 = x + 0.03;
  var a4 = x + 0.04;
  var a5 = x + 0.05;
  var a6 = x + 0.06;
  var a7 = x + 0.07;
  var a8 = x + 0.08;
  var a9 = x + 0.09;
  var a10 = x + 0.10;
  var a11 = x + 0.11;
  var a12 = x + 0.12;
  var a13 = x + 0.13;
  var a14 = x + 0.14;
  var a15 = x + 0.15;
  for (var round = 0u; round < setup.rounds; round++) {
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a8 = step(a8, m, b);
    a9 = step(a9, m, b);
    a10 = step(a10, m, b);
    a11 = step(a11, m, b);
    a12 = step(a12, m, b);
    a13 = step(a13, m, b);
    a14 = step(a14, m, b);
    a15 = step(a15, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a8 = step(a8, m, b);
    a9 = step(a9, m, b);
    a10 = step(a10, m, b);
    a11 = step(a11, m, b);
    a12 = step(a12, m, b);
    a13 = step(a13, m, b);
    a14 = step(a14, m, b);
    a15 = step(a15, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a8 = step(a8, m, b);
    a9 = step(a9, m, b);
    a10 = step(a10, m, b);
    a11 = step(a11, m, b);
    a12 = step(a12, m, b);
    a13 = step(a13, m, b);
    a14 = step(a14, m, b);
    a15 = step(a15, m, b);
    a0 = step(a0, m, b);
    a1 = step(a1, m, b);
    a2 = step(a2, m, b);
    a3 = step(a3, m, b);
    a4 = step(a4, m, b);
    a5 = step(a5, m, b);
    a6 = step(a6, m, b);
    a7 = step(a7, m, b);
    a8 = step(a8, m, b);
    a9 = step(a9, m, b);
    a10 = step(a10, m, b);
    a11 = step(a11, m, b);
    a12 = step(a12, m, b);
    a13 = step(a13, m, b);
    a14 = step(a14, m, b);
    a15 = step(a15, m, b);
  }
  sums[id.x] = (a0 + a1 + a2 + a3) + (a4 + a5 + a6 + a7) + (a8 + a9 + a10 + a11) + (a12 + a13 + a14 + a15);
}
