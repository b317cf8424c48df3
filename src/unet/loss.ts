import { binaryCrossEntropy, binaryCrossEntropyWithLogits, diceLoss } from '../engine/ops/loss.js';
import type { Tensor } from '../engine/tensor.js';
import type { TrainConfig } from './config.js';

export interface SegmentationLoss {
  readonly loss: Tensor;
  readonly bce: Tensor;
  readonly dice: Tensor;
}

/** The weighted sum of cross-entropy and Dice loss over the whole batch. `logits` and `mask` are [N, C, H, W]. */
export function segmentationLoss(
  logits: Tensor,
  probabilities: Tensor,
  mask: Tensor,
  config: Pick<TrainConfig, 'diceWeight' | 'crossEntropy'>,
): SegmentationLoss {
  const bce =
    config.crossEntropy === 'logits'
      ? binaryCrossEntropyWithLogits(logits, mask)
      : binaryCrossEntropy(probabilities, mask);
  const dice = diceLoss(probabilities, mask);
  return { loss: dice.mul(config.diceWeight).add(bce.mul(1 - config.diceWeight)), bce, dice };
}
