import { expect, it } from 'vitest';
import { better, noneYet } from '../../src/cli/run/best.js';
import { epoch } from './records.js';

/** The best after epochs of these mean Dice and validation losses. */
function bestOf(...epochs: readonly (readonly [dice: number | null, loss: number])[]): number {
  let best = noneYet;
  epochs.forEach(([meanDice, loss], i) => {
    const { quality, valid } = epoch(i + 1, i + 1);
    best = better(best, { epoch: i + 1, quality: { ...quality, meanDice }, valid: { ...valid, loss } });
  });
  return best.epoch;
}

it('the best epoch is that of the highest Dice, whatever its loss', () => {
  expect(bestOf([0.1, 0.9], [0.3, 1.2], [0.2, 0.1])).toBe(2);
});

it('of epochs with equal Dice, none or without any lesion, the one of lowest loss is best', () => {
  expect(bestOf([0, 0.9], [0, 0.7], [0, 0.8])).toBe(2);
  expect(bestOf([null, 0.9], [null, 0.7])).toBe(2);
  expect(bestOf([0.5, 0.4], [0.5, 0.4])).toBe(1);
});

it('goes by Dice alone where a run of before kept no loss', () => {
  const old = { dice: 0, epoch: 1 };
  const { quality, valid } = epoch(2, 2);
  expect(better(old, { epoch: 2, quality: { ...quality, meanDice: 0 }, valid })).toBe(old);
  expect(better(old, { epoch: 2, quality: { ...quality, meanDice: 0.1 }, valid }).epoch).toBe(2);
});
