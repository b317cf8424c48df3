// Sum or maximum along axes that lie closest together in memory: a row per output.
//
// Mapping   GROUP neighbouring invocations share one chunk of one row: each walks it in steps of GROUP times RUN Vs,
//           so that together they read a run of memory at a time, and then they combine their results as a tree in
//           workgroup memory. RUN is 1 on a GPU, all that an invocation takes on an adapter that runs on the CPU. A
//           short row has a small GROUP, down to 1; a long one is cut into CHUNKS, whose results a second launch of
//           this kernel combines.
// Dispatch  ceil(OUTPUTS * CHUNKS * GROUP / WORKGROUP) workgroups, folded over x and y.
// Order     fixed by the consts alone: the same bits each time. An invocation adds at most some 256 Vs one by one,
//           all above that is a tree, so the error of a long sum stays near that of its largest part.
// Bytes     4 an element read. Nothing is read twice: the memory's read rate is the limit.
//
// Consts: OUTPUTS; LENGTH: Vs in a row; CHUNKS; CHUNK: Vs in a chunk; GROUP: a power of two, at most WORKGROUP; RUN;
//         KEPT_SHAPE, REDUCED_SHAPE (in Vs); X_OFFSET, X_KEPT_STRIDES, X_REDUCED_STRIDES in Vs; Y_OFFSET, Y_STRIDES,
//         Y_CHUNK: from a chunk's result to the next one's; OP; SCALE: f32, factor of what is written.

@group(0) @binding(0) var<storage, read> x: array<V>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> shared_results: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = id.x + id.y * GRID_WIDTH;
  let member = i % GROUP;
  let chunk = (i / GROUP) % CHUNKS;
  let output = i / (GROUP * CHUNKS);
  let kept = coordinates(output, KEPT_SHAPE);

  var result = V(identity());
  if (output < OUTPUTS) {
    let row = place(kept, X_OFFSET, X_KEPT_STRIDES);
    let end = min((chunk + 1u) * CHUNK, LENGTH);
    for (var first = chunk * CHUNK + member * RUN; first < end; first += GROUP * RUN) {
      for (var r = first; r < min(first + RUN, end); r++) {
        result = combine_lanes(result, x[place(coordinates(r, REDUCED_SHAPE), row, X_REDUCED_STRIDES)]);
      }
    }
  }

  shared_results[local] = across(result);
  for (var half = GROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (member < half) {
      shared_results[local] = combine(shared_results[local], shared_results[local + half]);
    }
  }
  if (member == 0u && output < OUTPUTS) {
    y[place(kept, Y_OFFSET, Y_STRIDES) + chunk * Y_CHUNK] = shared_results[local] * SCALE;
  }
}
