/** Which epoch's weights are the run's best. */
import type { EpochRecord } from '../records.js';

/** The best epoch so far, as the resume file keeps it. */
export interface BestSoFar {
  /** Its mean validation Dice; null while there is none. */
  readonly dice: number | null;
  /** Its validation loss; null while there is none. Runs of before this was kept have no such field. */
  readonly loss?: number | null;
  /** Counted from 1; 0 while there is none. */
  readonly epoch: number;
}

export const noneYet: BestSoFar = { dice: null, loss: null, epoch: 0 };

/** The better of the best so far and an epoch: by mean Dice (0 where there is no lesion), then by lower validation loss. */
export function better(
  best: BestSoFar,
  { epoch, quality, valid }: Pick<EpochRecord, 'epoch' | 'quality' | 'valid'>,
): BestSoFar {
  const dice = quality.meanDice ?? 0;
  const { loss } = valid;
  const first = best.dice ?? -1;
  // Where all Dice are 0, as in the first epochs, the loss alone tells what was learned.
  const wins = dice > first || (dice === first && loss < (best.loss ?? Number.NEGATIVE_INFINITY));
  return wins ? { dice, loss, epoch } : best;
}
