/** Optimisers and the one-cycle schedule in float64, with PyTorch's semantics. */

export interface SgdOptions {
  readonly lr: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

/** What an optimiser keeps for one parameter; empty before the first step. */
export interface SgdState {
  buffer?: Float64Array;
}

/** One step, in place. The first step's buffer is the gradient itself, without dampening. */
export function sgdStep(p: Float64Array, gradient: Float64Array, state: SgdState, options: SgdOptions): void {
  const { lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
  const g = gradient.map((value, i) => value + weightDecay * (p[i] as number));
  let step = g;
  if (momentum !== 0) {
    const last = state.buffer;
    const buffer = last ? g.map((value, i) => momentum * (last[i] as number) + (1 - dampening) * value) : g;
    state.buffer = buffer;
    step = nesterov ? g.map((value, i) => value + momentum * (buffer[i] as number)) : buffer;
  }
  for (let i = 0; i < p.length; i++) p[i] = (p[i] as number) - lr * (step[i] as number);
}

export interface AdamOptions {
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  /** True: weight decay shrinks the parameter itself (AdamW) and does not enter the gradient. */
  readonly decoupled?: boolean;
}

export interface AdamState {
  step: number;
  first: Float64Array;
  second: Float64Array;
}

export function adamState(size: number): AdamState {
  return { step: 0, first: new Float64Array(size), second: new Float64Array(size) };
}

/** One step, in place. */
export function adamStep(
  p: Float64Array,
  gradient: Float64Array,
  state: AdamState,
  options: AdamOptions,
): void {
  const { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, decoupled = false } = options;
  state.step++;
  const [b1, b2] = betas;
  for (let i = 0; i < p.length; i++) {
    let value = p[i] as number;
    let g = gradient[i] as number;
    if (decoupled) value -= lr * weightDecay * value;
    else g += weightDecay * value;
    const first = b1 * (state.first[i] as number) + (1 - b1) * g;
    const second = b2 * (state.second[i] as number) + (1 - b2) * g * g;
    state.first[i] = first;
    state.second[i] = second;
    const mean = first / (1 - b1 ** state.step);
    const spread = Math.sqrt(second / (1 - b2 ** state.step)) + eps;
    p[i] = value - (lr * mean) / spread;
  }
}

export interface CycleOptions {
  readonly totalSteps: number;
  readonly maxLr: number;
  readonly pctStart: number;
  readonly baseMomentum: number;
  readonly maxMomentum: number;
  readonly divFactor?: number;
  readonly finalDivFactor?: number;
}

/** Rate and momentum of step t = 0, 1, ..., totalSteps - 1: up to maxLr by a cosine, then down by another. */
export function oneCycle64(t: number, options: CycleOptions): { lr: number; momentum: number } {
  const {
    totalSteps,
    maxLr,
    pctStart,
    baseMomentum,
    maxMomentum,
    divFactor = 25,
    finalDivFactor = 1e4,
  } = options;
  const cosine = (a: number, b: number, f: number) => b + ((a - b) / 2) * (Math.cos(Math.PI * f) + 1);
  const first = maxLr / divFactor;
  const last = first / finalDivFactor;
  const up = pctStart * totalSteps - 1;
  const down = totalSteps - up - 1;
  if (t <= up)
    return { lr: cosine(first, maxLr, t / up), momentum: cosine(maxMomentum, baseMomentum, t / up) };
  const f = (t - up) / down;
  return { lr: cosine(maxLr, last, f), momentum: cosine(baseMomentum, maxMomentum, f) };
}
