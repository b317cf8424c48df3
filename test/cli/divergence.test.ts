import { describe, expect, it } from 'vitest';
import { divergence, lowerRate } from '../../src/cli/divergence.js';

/** What is said after the last of these epochs. */
function said(losses: readonly number[], diceWeight = 0.5): string | null {
  return divergence(
    losses.map((loss, i) => ({ epoch: i + 1, loss })),
    diceWeight,
  );
}

describe('divergence', () => {
  it.each([
    ['nothing yet', []],
    ['a training that learns', [0.886, 0.596, 0.416, 0.31]],
    ['a rate too high to learn, but no more', [0.643, 0.531, 0.505, 0.49]],
    ['an epoch somewhat worse than a guess', [1.1]],
    ['low losses that double by chance', [0.1, 0.05, 0.11]],
    ['a small step back', [0.5, 0.25, 0.45]],
  ])('says nothing of %s', (_, losses) => expect(said(losses)).toBeNull());

  it('names epochs and losses where they rise, at first or later', () => {
    // These are of synthetic slices at learning rates of 0.3 and 1.
    expect(said([0.844096, 10.228966])).toBe(
      'the training loss rose from 0.8441 in epoch 1 to 10.2290 in epoch 2: the training diverged',
    );
    expect(said([4657.560749])).toBe(
      'the training loss is 4.66e+3 in epoch 1, where guessing gives 0.8466: the training diverged',
    );
    expect(said([0.6, 0.2, 0.15, 0.55])).toMatch(
      /^the training loss rose from 0\.1500 in epoch 3 to 0\.5500 /,
    );
  });

  it('is past once the losses are low again', () => {
    expect(said([4657, 0.5735])).toBeNull();
  });
});

it.each([
  [0.1, 0.01],
  [3e-3, 3e-4],
])('a rate to try in place of %d is %d', (lr, lower) => expect(lowerRate(lr)).toBe(lower));
