import { type OpCase, of, opCase } from '../case.js';

type Movement = 'reshape' | 'slice' | 'pad' | 'permute' | 'expand' | 'cat';

type MovementCase = { [Name in Movement]: OpCase<Name> }[Movement];

export const movementCases: MovementCase[] = [
  opCase('reshape', 'to a row', [of([2, 3, 5])], { shape: [30] }),
  opCase('reshape', 'with a free size', [of([4, 3, 7])], { shape: [6, -1] }),
  opCase('reshape', 'of a scalar', [of([])], { shape: [1, 1, 1] }),
  opCase('reshape', 'of one element to a scalar', [of([1, 1])], { shape: [] }),

  opCase('slice', 'of the first axis', [of([7, 3, 5])], { axis: 0, start: 2, end: 6 }),
  opCase('slice', 'of the channels', [of([2, 7, 3, 5])], { axis: 1, start: 3, end: 7 }),
  opCase('slice', 'every second column', [of([3, 4, 9])], { axis: -1, start: 0, end: 9, step: 2 }),
  opCase('slice', 'every third row from 1, some left over', [of([11, 4])], {
    axis: 0,
    start: 1,
    end: 9,
    step: 3,
  }),
  opCase('slice', 'from the end', [of([3, 8])], { axis: 1, start: -5, end: -1 }),
  opCase('slice', 'past the end', [of([3, 8])], { axis: 1, start: 5, end: 100, step: 2 }),
  opCase('slice', 'of one element', [of([5])], { axis: 0, start: 4, end: 5 }),
  opCase('slice', 'with a step beyond the end', [of([3, 8])], { axis: 1, start: 2, end: 7, step: 20 }),

  opCase('pad', 'last axis', [of([3, 5])], { widths: [2, 1] }),
  opCase('pad', 'last two axes by a value', [of([2, 3, 4, 5])], { widths: [1, 2, 3, 0], value: 0.5 }),
  opCase('pad', 'all axes', [of([2, 3, 1])], { widths: [0, 1, 1, 0, 2, 3], value: -1 }),
  opCase('pad', 'negative widths crop', [of([2, 7, 9])], { widths: [-2, -1, -3, 2] }),
  opCase('pad', 'one element', [of([1])], { widths: [3, 2], value: 2 }),
  opCase('pad', 'by nothing', [of([2, 3])], { widths: [0, 0] }),

  opCase('permute', 'a matrix', [of([5, 7])], { axes: [1, 0] }),
  opCase('permute', 'channels last', [of([2, 3, 5, 4])], { axes: [0, 2, 3, 1] }),
  opCase('permute', 'three axes round', [of([2, 3, 5])], { axes: [-1, 0, 1] }),
  opCase('permute', 'six axes', [of([2, 1, 3, 2, 1, 2])], { axes: [5, 3, 1, 0, 2, 4] }),

  opCase('expand', 'a row', [of([1, 5])], { shape: [4, 5] }),
  opCase('expand', 'a scalar', [of([])], { shape: [3, 2] }),
  opCase('expand', 'two axes and a new one', [of([3, 1, 5, 1])], { shape: [2, 3, 4, 5, 6] }),

  opCase('cat', 'two on channels', [of([2, 3, 4, 5]), of([2, 2, 4, 5])], { axis: 1 }),
  opCase('cat', 'three on the first axis', [of([1, 3]), of([4, 3]), of([2, 3])], { axis: 0 }),
  opCase('cat', 'on the last axis', [of([3, 2, 5]), of([3, 2, 1])], { axis: -1 }),
  opCase('cat', 'one', [of([3, 4])], { axis: 1 }),
  opCase(
    'cat',
    'nine of single elements',
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => of([1])),
    { axis: 0 },
  ),
];

export const largeMovementCases: MovementCase[] = [
  opCase('cat', 'of 16 + 16 channels at 64x64', [of([4, 16, 64, 64]), of([4, 16, 64, 64])], { axis: 1 }),
  opCase('permute', 'of 513 x 1025', [of([513, 1025])], { axes: [1, 0] }),
  opCase('pad', 'of 300 x 700', [of([300, 700])], { widths: [1, 2, 3, 4] }),
];
