// One step of Adam, in place, for all parameters at once; t counts steps from 1.
//
//   d = grad + WEIGHT_DECAY * param; where DECOUPLED (AdamW), d = grad and param *= 1 - lr * WEIGHT_DECAY first
//   mean = BETA1 * mean + (1 - BETA1) * d
//   square = BETA2 * square + (1 - BETA2) * d^2
//   param -= lr / (1 - BETA1^t) * mean / (sqrt(square) / sqrt(1 - BETA2^t) + EPS)
//
// Mapping   parameters, gradients and both moments lie one after another in one buffer each; one invocation updates
//           RUN neighbouring Vs of them (1 on a GPU, a cache line on a CPU). A V is four where the counts and offsets
//           allow, else one.
// Dispatch  ceil(COUNT / RUN / WORKGROUP) workgroups, folded over x and y: one dispatch whatever the number of
//           parameters.
// Bytes     28 a parameter, each touched once: the memory is the limit.
//
// Consts: COUNT: Vs; RUN; PARAMS_OFFSET, GRADS_OFFSET, MEAN_OFFSET, SQUARE_OFFSET in Vs; BETA1, BETA2, REST1, REST2
//         (1 - beta, which f32 would take from a rounded beta), LOG_BETA1, LOG_BETA2, EPS, WEIGHT_DECAY: f32;
//         DECOUPLED: bool; LR, STEP: places of the run-time scalars.
// Pieces: plain.wgsl, or scaled.wgsl where the loss was scaled.

@group(0) @binding(0) var<storage, read_write> params: array<V>;
@group(0) @binding(1) var<storage, read> grads: array<V>;
@group(0) @binding(2) var<storage, read_write> mean: array<V>;
@group(0) @binding(3) var<storage, read_write> square: array<V>;

// 1 - e^x for x < 0: near 0, where that cancels (1 - 0.999^1), by the power series.
fn one_minus_exp(x: f32) -> f32 {
  let near = -x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0))))));
  return select(1.0 - exp(x), near, x > -0.25);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (skip_step()) {
    return;
  }
  let lr = scalar_f32(LR);
  let t = f32(scalar_u32(STEP) - skipped_steps());
  let step_size = lr / one_minus_exp(t * LOG_BETA1);
  let root = sqrt(one_minus_exp(t * LOG_BETA2));
  let first = (id.x + id.y * GRID_WIDTH) * RUN;
  for (var i = first; i < min(first + RUN, COUNT); i++) {
    var param = params[PARAMS_OFFSET + i];
    var d = unscaled(grads[GRADS_OFFSET + i]);
    if (DECOUPLED) {
      param -= lr * WEIGHT_DECAY * param;
    } else {
      d += WEIGHT_DECAY * param;
    }
    let m = BETA1 * mean[MEAN_OFFSET + i] + REST1 * d;
    let s = BETA2 * square[SQUARE_OFFSET + i] + REST2 * d * d;
    mean[MEAN_OFFSET + i] = m;
    square[SQUARE_OFFSET + i] = s;
    params[PARAMS_OFFSET + i] = param - step_size * m / (sqrt(s) / root + EPS);
  }
}
