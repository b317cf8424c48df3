// Piece of the gemm kernels: the innermost step of a matrix product.

// sum + a * b for four rows, one column and four k: `a` holds four rows for each k, `b` four k. A chain of fused
// multiply-adds, where `a * b` would cost a separate addition.
fn outer(sum: vec4<f32>, a: mat4x4<f32>, b: vec4<f32>) -> vec4<f32> {
  return fma(a[3], vec4(b[3]), fma(a[2], vec4(b[2]), fma(a[1], vec4(b[1]), fma(a[0], vec4(b[0]), sum))));
}
