import { type OpCase, of, opCase } from '../case.js';

const scale = { low: 0.5, high: 1.5 };
const fixed = { gradient: false };
const variance = { low: 0.3, high: 2, gradient: false };

export const normCases: OpCase<'batchNorm'>[] = [
  opCase('batchNorm', 'training', [of([3, 5, 4, 7]), of([5], scale), of([5])], { training: true }),
  opCase('batchNorm', 'training at eps 0.01', [of([2, 3, 1, 5]), of([3], scale), of([3])], {
    training: true,
    eps: 0.01,
  }),
  opCase('batchNorm', 'training on rows', [of([7, 3]), of([3], scale), of([3])], { training: true }),
  opCase(
    'batchNorm',
    'evaluation',
    [of([3, 5, 4, 7]), of([5], scale), of([5]), of([5], fixed), of([5], variance)],
    { training: false },
  ),
];
