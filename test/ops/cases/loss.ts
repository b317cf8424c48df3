import { type OpCase, of, opCase } from '../case.js';

const inside = { low: 0.02, high: 0.98 };
const logits = { low: -6, high: 6 };
const far = { low: -90, high: 90 };
const soft = { low: 0, high: 1 };
const hard = { kind: 'whole', low: 0, high: 1, gradient: false } as const;

type LossName = 'binaryCrossEntropy' | 'binaryCrossEntropyWithLogits' | 'diceLoss';

type LossCase = { [Name in LossName]: OpCase<Name> }[LossName];

export const lossCases: LossCase[] = [
  ...(['mean', 'sum', 'none'] as const).flatMap((reduction) => [
    opCase(
      'binaryCrossEntropy',
      `${reduction} against a mask`,
      [of([2, 1, 7, 5], inside), of([2, 1, 7, 5], hard)],
      { reduction },
    ),
    opCase(
      'binaryCrossEntropy',
      `${reduction} against soft targets`,
      [of([3, 11], inside), of([3, 11], { ...soft, gradient: false })],
      {
        reduction,
      },
    ),
    opCase(
      'binaryCrossEntropyWithLogits',
      `${reduction} against a mask`,
      [of([2, 1, 7, 5], logits), of([2, 1, 7, 5], hard)],
      {
        reduction,
      },
    ),
    opCase(
      'binaryCrossEntropyWithLogits',
      `${reduction} against soft targets`,
      [of([3, 11], logits), of([3, 11], soft)],
      {
        reduction,
      },
    ),
  ]),
  opCase('binaryCrossEntropy', 'of one element', [of([1], inside), of([1], hard)], {}),
  // Probabilities of exactly 0 and 1: the logarithm and the denominator are clamped.
  opCase(
    'binaryCrossEntropy',
    'of saturated probabilities that are right or wrong',
    [of([64], { kind: 'whole', low: 0, high: 1 }), of([64], hard)],
    {},
  ),
  opCase('binaryCrossEntropyWithLogits', 'far from zero', [of([64], far), of([64], hard)], {}),
  opCase('binaryCrossEntropyWithLogits', 'of a scalar', [of([], logits), of([], soft)], {}),
  opCase('diceLoss', 'of masks', [of([2, 1, 7, 5], inside), of([2, 1, 7, 5], hard)], {}),
  opCase('diceLoss', 'of soft targets', [of([3, 11], inside), of([3, 11], soft)], {}),
  opCase('diceLoss', 'with smooth 0.1', [of([5, 13], inside), of([5, 13], hard)], { smooth: 0.1 }),
  opCase('diceLoss', 'of one element', [of([1], inside), of([1], hard)], {}),
  opCase('diceLoss', 'with no lesion', [of([4, 9], inside), of([4, 9], { ...hard, high: 0 })], {}),
];

export const largeLossCases: LossCase[] = [
  {
    ...opCase(
      'binaryCrossEntropy',
      'of 4x1x181x179',
      [of([4, 1, 181, 179], inside), of([4, 1, 181, 179], hard)],
      {},
    ),
    long: true,
  },
  {
    ...opCase(
      'binaryCrossEntropyWithLogits',
      'of 4x1x181x179',
      [of([4, 1, 181, 179], logits), of([4, 1, 181, 179], hard)],
      {},
    ),
    long: true,
  },
  {
    ...opCase('diceLoss', 'of 4x1x181x179', [of([4, 1, 181, 179], inside), of([4, 1, 181, 179], hard)], {}),
    long: true,
  },
];
