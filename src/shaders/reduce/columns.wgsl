// Sum or maximum along axes that lie further apart in memory than those kept: a column per output.
//
// Mapping   one invocation makes one V of outputs (four neighbours where they lie in aligned runs of four, else one)
//           from every CHUNKS-th row of its column, so that neighbouring invocations read neighbouring memory and
//           need not speak to each other. Few or long columns are shared by CHUNKS invocations each, whose results a
//           second launch combines.
// Dispatch  ceil(OUTPUTS * CHUNKS / WORKGROUP) workgroups, folded over x and y.
// Order     fixed by the consts alone: the same bits each time. At most some 256 terms are added one by one.
// Bytes     4 an element read. Nothing is read twice: the memory's read rate is the limit.
//
// Consts: OUTPUTS in Vs; LENGTH: rows; CHUNKS; KEPT_SHAPE in Vs, REDUCED_SHAPE; X_OFFSET, X_KEPT_STRIDES,
//         X_REDUCED_STRIDES, Y_OFFSET, Y_STRIDES in Vs; Y_CHUNK: Vs from a chunk's results to the next one's; OP;
//         SCALE: f32, factor of what is written.

@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read_write> y: array<V>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= OUTPUTS * CHUNKS) {
    return;
  }
  let kept = coordinates(i % OUTPUTS, KEPT_SHAPE);
  let chunk = i / OUTPUTS;
  let column = place(kept, X_OFFSET, X_KEPT_STRIDES);
  var result = V(identity());
  for (var r = chunk; r < LENGTH; r += CHUNKS) {
    result = combine_lanes(result, x[place(coordinates(r, REDUCED_SHAPE), column, X_REDUCED_STRIDES)]);
  }
  y[place(kept, Y_OFFSET, Y_STRIDES) + chunk * Y_CHUNK] = result * SCALE;
}
