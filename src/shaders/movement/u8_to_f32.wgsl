// y = SCALE * x from bytes to f32, for any shape and strides of both. Bytes lie four to a word, the first lowest.
//
// Mapping   one invocation makes one element of y.
// Dispatch  ceil(COUNT / WORKGROUP) workgroups, folded over x and y.
// Bytes     5 an element. Four neighbours read one word, which the cache serves.
//
// Consts: COUNT: elements; SHAPE; X_OFFSET, X_STRIDES in bytes; Y_OFFSET, Y_STRIDES in elements; SCALE: f32.

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= COUNT) {
    return;
  }
  let c = coordinates(i, SHAPE);
  let at = place(c, X_OFFSET, X_STRIDES);
  let byte = (x[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  y[place(c, Y_OFFSET, Y_STRIDES)] = f32(byte) * SCALE;
}
