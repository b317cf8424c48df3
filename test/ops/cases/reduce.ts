import { type InputSpec, type OpCase, of, opCase } from '../case.js';

type Reduction = 'sum' | 'mean' | 'amax';

type ReduceCase = { [Name in Reduction]: OpCase<Name> }[Reduction];

function over(
  op: Reduction,
  name: string,
  shape: readonly number[],
  axes?: readonly number[],
  keepdim?: boolean,
  values: Partial<InputSpec> = {},
): ReduceCase {
  const spread: Partial<InputSpec> = op === 'amax' ? { kind: 'distinct' } : {};
  const options = { ...(axes ? { axes } : {}), ...(keepdim === undefined ? {} : { keepdim }) };
  return opCase(op, name, [of(shape, { ...spread, ...values })], options) as ReduceCase;
}

const each: readonly Reduction[] = ['sum', 'mean', 'amax'];

export const reduceCases: ReduceCase[] = [
  ...each.flatMap((op) => [
    over(op, 'of all', [3, 5, 7]),
    over(op, 'of all, kept', [3, 5, 7], undefined, true),
    over(op, 'of a scalar', []),
    over(op, 'of one element', [1, 1, 1], [1]),
    over(op, 'over the first axis', [6, 5, 4], [0]),
    over(op, 'over the middle axis', [3, 11, 5], [1]),
    over(op, 'over the last axis', [5, 3, 13], [-1], true),
    over(op, 'over all but the channels', [3, 5, 4, 7], [0, 2, 3]),
    over(op, 'over first and third axis, kept', [3, 2, 5, 4], [0, 2], true),
    over(op, 'over an axis of one', [4, 1, 5], [1]),
    over(op, 'over a long last axis', [3, 1237], [1]),
    over(op, 'over a long first axis', [1237, 3], [0]),
  ]),
  over('amax', 'with ties', [5, 12], [1], false, { kind: 'whole', low: 0, high: 3 }),
  over('amax', 'of negative values', [5, 12], [0], false, { low: -3, high: -2 }),
];

const positive: Partial<InputSpec> = { low: 0, high: 1 };

export const largeReduceCases: ReduceCase[] = [
  { ...over('sum', 'of 1,000,003 positive elements', [1_000_003], undefined, false, positive), long: true },
  { ...over('mean', 'of 2x1x700x701', [2, 1, 700, 701], undefined, false, positive), long: true },
  over('sum', 'over 90,000 rows', [90_000, 7], [0], false, positive),
  over('sum', 'of 90,000 rows', [90_000, 7], [1]),
  over('amax', 'of 300,007 elements', [300_007]),
  over('sum', 'over all but the channels of 4x16x96x96', [4, 16, 96, 96], [0, 2, 3]),
];
