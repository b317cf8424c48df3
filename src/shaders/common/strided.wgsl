// From a row-major element number to its place in an operand of any strides.
//
// Shapes and strides always have six entries here. The launch merges axes that lie as one in all operands and fills
// up with axes of size 1 at the end, so a contiguous tensor is [n, 1, 1, 1, 1, 1]: since both are constants, each
// division by 1 vanishes, and the whole of this file compiles to `offset + i`. Division by another constant compiles
// to a multiplication and a shift.

alias Axes = array<u32, 6>;

fn coordinates(i: u32, shape: Axes) -> Axes {
  var c: Axes;
  var rest = i;
  c[5] = rest % shape[5];
  rest /= shape[5];
  c[4] = rest % shape[4];
  rest /= shape[4];
  c[3] = rest % shape[3];
  rest /= shape[3];
  c[2] = rest % shape[2];
  rest /= shape[2];
  c[1] = rest % shape[1];
  c[0] = rest / shape[1];
  return c;
}

fn place(c: Axes, offset: u32, strides: Axes) -> u32 {
  return offset + c[0] * strides[0] + c[1] * strides[1] + c[2] * strides[2] + c[3] * strides[3] + c[4] * strides[4] +
    c[5] * strides[5];
}
