// One step of stochastic gradient descent with momentum, in place, for all parameters at once.
//
//   d = grad + WEIGHT_DECAY * param
//   momentum = d on the first step, else mu * momentum + (1 - DAMPENING) * d
//   param -= lr * momentum, or, where NESTEROV, lr * (d + mu * momentum)
//
// Mapping   parameters, gradients and momentum lie one after another in one buffer each; one invocation updates RUN
//           neighbouring Vs of them (1 on a GPU, a cache line on a CPU). A V is four where the counts and offsets
//           allow, else one.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y: one dispatch whatever the number of
//           parameters.
// Bytes     20 a parameter, each touched once: the memory is the limit.
//
// Consts: COUNT: Vs; RUN; PARAMS_OFFSET, GRADS_OFFSET, MOMENTUM_OFFSET in Vs; WEIGHT_DECAY, DAMPENING: f32; NESTEROV:
//         bool; LR, MU: places of the run-time scalars.
// Pieces: plain.wgsl, or scaled.wgsl where the loss was scaled.

@group(0) @binding(0) var<storage, read_write> params: array<V>;
@group(0) @binding(1) var<storage, read> grads: array<V>;
@group(0) @binding(2) var<storage, read_write> momentum: array<V>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (skip_step()) {
    return;
  }
  let lr = scalar_f32(LR);
  let mu = scalar_f32(MU);
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    let param = params[PARAMS_OFFSET + i];
    let d = unscaled(grads[GRADS_OFFSET + i]) + WEIGHT_DECAY * param;
    let later = mu * momentum[MOMENTUM_OFFSET + i] + (1.0 - DAMPENING) * d;
    let m = select(later, d, VB(is_first_step()));
    momentum[MOMENTUM_OFFSET + i] = m;
    var step = m;
    if (NESTEROV) {
      step = d + mu * m;
    }
    params[PARAMS_OFFSET + i] = param - lr * step;
  }
}
