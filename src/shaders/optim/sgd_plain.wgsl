// One step of stochastic gradient descent without momentum, in place, for all parameters at once: param -= lr * (grad
// + WEIGHT_DECAY * param).
//
// Mapping   parameters and gradients lie one after another in one buffer each; one invocation updates RUN
//           neighbouring Vs of them (1 on a GPU, a cache line on a CPU). A V is four where the counts and offsets
//           allow, else one.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y: one dispatch whatever the number of
//           parameters.
// Bytes     12 a parameter, each touched once: the memory is the limit.
//
// Consts: COUNT: Vs; RUN; PARAMS_OFFSET, GRADS_OFFSET in Vs; WEIGHT_DECAY: f32; LR: place of the run-time scalar.
// Pieces: plain.wgsl, or scaled.wgsl where the loss was scaled.

@group(0) @binding(0) var<storage, read_write> params: array<V>;
@group(0) @binding(1) var<storage, read> grads: array<V>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (skip_step()) {
    return;
  }
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let param = params[PARAMS_OFFSET + i];
    params[PARAMS_OFFSET + i] = param - scalar_f32(LR) * (unscaled(grads[GRADS_OFFSET + i]) + WEIGHT_DECAY * param);
  }
}
