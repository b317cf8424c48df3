// Binary cross-entropy of one V (f32 or vec4<f32>, see common/lanes*.wgsl). Needs elementwise/math.wgsl.

// Logarithm of a probability, but at least -100: so that a p of exactly 0 or 1 costs much rather than infinity. That of the
// least normal number is -87, so only 0 and its like are clamped. NaN stays.
fn clamped_log(x: V) -> V {
  let ordinary = select(log_of_normal(x), V(-100.0), x < V(1.17549435e-38));
  return select(x, ordinary, x <= V(2.0));
}

// Of a probability p against a target t.
fn bce(p: V, t: V) -> V {
  return (t - 1.0) * clamped_log(1.0 - p) - t * clamped_log(p);
}

// Of sigmoid(x) against t: log(1 + e^x) - x t = log(1 + e^-|x|) + max(x, 0) - x t, where the last two cancel least as one
// product.
fn bce_logits(x: V, t: V) -> V {
  return x * select(-t, 1.0 - t, x > V(0.0)) + log_one_plus(exp(-abs(x)));
}
