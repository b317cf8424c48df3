/** Whether a training's losses, though finite, say that it went wrong. */

/** An epoch and its mean training loss. */
export interface EpochLoss {
  readonly epoch: number;
  readonly loss: number;
}

/** How far above a network that knows nothing a loss must lie; no healthy epoch's mean does. */
const ABOVE_GUESS = 1.5;
/** How far above the best epoch before. */
const ABOVE_BEST = 2;

/**
 * In words, where the last epoch's mean training loss lies far above what knowing nothing gives, or has risen far above the best
 * epoch before it; else null. Low losses may double by chance, so such a rise counts only from half of that guess's loss on.
 * @param diceWeight share of the Dice loss; the rest is cross-entropy
 */
export function divergence(epochs: readonly EpochLoss[], diceWeight: number): string | null {
  const last = epochs.at(-1);
  if (last === undefined) return null;
  // Every pixel one half: a cross-entropy of ln 2, a Dice loss of at most 1.
  const guess = (1 - diceWeight) * Math.LN2 + diceWeight;
  const earlier = epochs.slice(0, -1);
  const best = earlier.reduce((a, b) => (b.loss < a.loss ? b : a), last);
  if (last.loss > ABOVE_BEST * best.loss && last.loss > guess / 2) {
    return `the training loss rose from ${digits(best.loss)} in epoch ${best.epoch} to ${digits(last.loss)} in epoch ${last.epoch}: the training diverged`;
  }
  if (last.loss > ABOVE_GUESS * guess) {
    return `the training loss is ${digits(last.loss)} in epoch ${last.epoch}, where guessing gives ${digits(guess)}: the training diverged`;
  }
  return null;
}

/** A learning rate to try in place of one that was too high. */
export function lowerRate(lr: number): number {
  return Number((lr / 10).toPrecision(2));
}

function digits(loss: number): string {
  return loss < 1000 ? loss.toFixed(4) : loss.toExponential(2);
}
