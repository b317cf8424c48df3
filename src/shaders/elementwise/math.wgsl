// Functions that WGSL lacks, or promises too little of: it allows sin and cos an error of 2^-11, log one of 2^-21
// near 1, says nothing of tanh of large numbers, and leaves powers of negative numbers undefined. V is f32 or
// vec4<f32> (common/lanes*.wgsl). Needs common/nonfinite.wgsl.

fn are_nan(x: V) -> VB {
  return (bitcast<VU>(x) & VU(0x7fffffffu)) > VU(0x7f800000u);
}

// Natural logarithm to the last bits of a positive number that is neither subnormal nor infinite: x = 2^e m with m in
// 2/3..4/3, and log m = 2 atanh(f / (2 + f)) with f = m - 1 as a power series.
fn log_of_normal(x: V) -> V {
  let bits = bitcast<VU>(x);
  // Adding 1 - 2/3 to the bits, in units of the exponent, makes a mantissa of 4/3 or more carry.
  let biased = (bits + VU(0x3f800000u - 0x3f2aaaabu)) >> VU(23u);
  // Signed, which every machine converts in one instruction.
  let e = V(bitcast<VI>(biased)) - 127.0;
  let f = bitcast<V>(bits - (biased << VU(23u)) + VU(0x3f800000u)) - 1.0;
  let s = f / (2.0 + f);
  let z = s * s;
  let series = s * z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0))));
  // log 2 as two numbers, the first of few bits: its product with e is exact.
  return e * 0.693359375 + (2.0 * s + (series - e * 2.12194440054691e-4));
}

// Natural logarithm of any number: minus infinity of 0, NaN of a negative number, infinity and NaN of themselves.
fn accurate_log(x: V) -> V {
  // A subnormal is scaled up by 2^23 first.
  let tiny = x < V(1.17549435e-38);
  let normal = log_of_normal(select(x, x * 8388608.0, tiny)) - select(V(0.0), V(15.942385152878742), tiny);
  let ordinary = select(x, normal, x <= V(3.4028234e38));
  return select(select(ordinary, V(nan()), x < V(0.0)), V(minus_infinity()), x == V(0.0));
}

// 1 / (1 + e^-x). The exponential is taken of -|x| only, so it never overflows.
fn stable_sigmoid(x: V) -> V {
  let e = exp(-abs(x));
  return select(e, V(1.0), x >= V(0.0)) / (1.0 + e);
}

// (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x; near 0, where that cancels, the odd power series.
fn stable_tanh(x: V) -> V {
  let e = exp(-2.0 * abs(x));
  let far = sign(x) * (1.0 - e) / (1.0 + e);
  let s = x * x;
  let near = x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
  return select(far, near, abs(x) < V(0.25));
}

// log(1 + e) for e in 0..1; for small e, where 1 + e has lost it, the power series.
fn log_one_plus(e: V) -> V {
  let near = e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * (0.25 - e * 0.2))));
  return select(log_of_normal(1.0 + e), near, e < V(0.05));
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
fn stable_softplus(x: V) -> V {
  return select(x, V(0.0), x < V(0.0)) + log_one_plus(exp(-abs(x)));
}

// Sine of x + quarter * pi / 2. Takes away the nearest multiple of pi / 2, given as a sum of three numbers of few bits
// each so that the products are exact, and evaluates the power series of sine or cosine on the rest, |r| <= pi / 4.
fn sine(x: V, quarter: u32) -> V {
  let k = round(x * 0.6366197723675814);
  let r = ((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.5497899548918821e-8;
  let s = r * r;
  let sine_r = r * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s * (1.0 / 362880.0)))));
  let cosine_r =
    1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40320.0 + s * (-1.0 / 3628800.0)))));
  // In halves and quarters of the turn: exact, and no conversion of a large k to an integer.
  let q = k + f32(quarter);
  let turned = q - 4.0 * floor(q * 0.25);
  let odd = (turned == V(1.0)) | (turned == V(3.0));
  return select(V(1.0), V(-1.0), turned >= V(2.0)) * select(sine_r, cosine_r, odd);
}

// a^b as the C library's pow: 1 where b is 0 or a is 1, the sign of a kept for odd whole b, and NaN for a negative base
// with a broken exponent.
fn power(a: V, b: V) -> V {
  // Adapters differ on powers of 0.
  let of_zero = select(V(0.0), V(-minus_infinity()), b < V(0.0));
  let magnitude = select(pow(abs(a), b), of_zero, a == V(0.0));
  let whole = floor(b) == b;
  let odd = whole & (floor(b * 0.5) != b * 0.5);
  let negative = a < V(0.0);
  let signed = select(magnitude, -magnitude, negative & odd);
  let real = select(signed, V(nan()), negative & !whole);
  return select(real, V(1.0), (b == V(0.0)) | (a == V(1.0)));
}
