// y = x with BEFORE places of a constant put before it on each axis, and as many after it as y has room for; a
// negative number takes places away. Words (f32 or u32), so that the constant may be infinite.
//
// Mapping   one invocation makes one word of y, in the order of y's elements.
// Dispatch  ceil(COUNT / WORKGROUP) workgroups, folded over x and y.
// Bytes     4 a word written and 4 a word of x that is used.
//
// Consts: COUNT: words in y; Y_SHAPE, X_SHAPE: six axes; BEFORE: six numbers, as u32 (a negative one wraps, and so
//         does the difference with it); X_OFFSET, X_STRIDES, Y_OFFSET, Y_STRIDES; WORD: the constant's bits.

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  let to = coordinates(i, Y_SHAPE);
  var source = to;
  var inside = true;
  for (var axis = 0; axis < 6; axis++) {
    source[axis] = to[axis] - BEFORE[axis];
    // A place before x has wrapped to a large number.
    inside &= source[axis] < X_SHAPE[axis];
  }
  var word = WORD;
  if (inside) {
    word = x[place(source, X_OFFSET, X_STRIDES)];
  }
  y[place(to, Y_OFFSET, Y_STRIDES)] = word;
}
