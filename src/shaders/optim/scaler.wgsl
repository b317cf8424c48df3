// Dynamic loss scaling, as torch.amp.GradScaler: after gradients that overflowed the scale is halved and the step
// skipped; after GROWTH_INTERVAL steps in a row without overflow it is doubled. Decided on the GPU, between the
// gradients and the update, so that a step stays one submission.
//
// Mapping   one workgroup: its invocations go through the flags of overflow.wgsl, and the first one decides.
// Dispatch  one workgroup.
//
// Consts: FLAGS: how many there are; GROWTH_FACTOR, BACKOFF_FACTOR: f32; GROWTH_INTERVAL: steps.
// Pieces: scaler_state.wgsl.

@group(0) @binding(0) var<storage, read> flags: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;

var<workgroup> found: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var any_found = 0u;
  for (var i = local; i < FLAGS; i += 64u) {
    any_found |= flags[i];
  }
  found[local] = any_found;
  workgroupBarrier();
  if (local != 0u) {
    return;
  }
  for (var i = 1u; i < 64u; i++) {
    any_found |= found[i];
  }
  let scale = state[SCALE];
  state[UNSCALE] = 1.0 / scale;
  state[OVERFLOWED] = f32(any_found);
  if (any_found != 0u) {
    state[SCALE] = scale * BACKOFF_FACTOR;
    state[GROWTH] = 0.0;
    state[SKIPPED] += 1.0;
    return;
  }
  let growth = state[GROWTH] + 1.0;
  if (growth < f32(GROWTH_INTERVAL)) {
    state[GROWTH] = growth;
    return;
  }
  state[GROWTH] = 0.0;
  // Beyond this it would be infinite.
  if (scale <= 0x1p127f / GROWTH_FACTOR) {
    state[SCALE] = scale * GROWTH_FACTOR;
  }
}
