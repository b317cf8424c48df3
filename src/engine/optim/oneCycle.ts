import { fail } from '../errors.js';

/** As PyTorch's OneCycleLR's, with its defaults. */
export interface OneCycleOptions {
  readonly maxLr: number;
  readonly totalSteps: number;
  /** Share of the steps in which the learning rate rises. */
  readonly pctStart?: number;
  readonly divFactor?: number;
  readonly finalDivFactor?: number;
  readonly baseMomentum?: number;
  readonly maxMomentum?: number;
}

/** The value at share `f` of a cosine from `a` to `b`. */
function cosine(a: number, b: number, f: number): number {
  return b + ((a - b) / 2) * (Math.cos(Math.PI * f) + 1);
}

/**
 * The one-cycle policy in two cosine phases, as torch.optim.lr_scheduler.OneCycleLR with cycle_momentum: the learning
 * rate rises from maxLr/divFactor to maxLr and falls to that start / finalDivFactor, and the momentum does the reverse.
 * A pure function of the step, so that resuming needs no state.
 */
export function oneCycle(options: OneCycleOptions): (step: number) => { lr: number; momentum: number } {
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  const { baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  if (!Number.isInteger(totalSteps) || totalSteps < 1)
    fail(`oneCycle: total steps must be a whole number of at least 1, not ${totalSteps}.`);
  const initial = maxLr / divFactor;
  const least = initial / finalDivFactor;
  const up = pctStart * totalSteps - 1;
  const down = totalSteps - up - 1;
  return (step) => {
    if (step < 0 || step >= totalSteps)
      fail(`oneCycle: step ${step} is outside the ${totalSteps} steps of the schedule.`);
    if (step <= up) {
      const f = up > 0 ? step / up : 1;
      return { lr: cosine(initial, maxLr, f), momentum: cosine(maxMomentum, baseMomentum, f) };
    }
    const f = (step - up) / down;
    return { lr: cosine(maxLr, least, f), momentum: cosine(baseMomentum, maxMomentum, f) };
  };
}
