import { describe, expect, it } from 'vitest';
import { augmentation, drawTransform, POST_AUGMENTATION } from '../../src/data/augmentParams.js';
import { Rng, type RngState, randomInteger, randomNormal, rngFrom, shuffle } from '../../src/data/random.js';
import {
  lesionWeights,
  type Sampler,
  sequentialSampler,
  shuffledSampler,
  weightedSampler,
} from '../../src/data/sampler.js';
import { expectDataError } from './support.js';

describe('Rng', () => {
  it('is xoshiro128**', () => {
    // The first outputs from the state 1, 2, 3, 4, worked by the published recurrence.
    const rng = rngFrom([1, 2, 3, 4]);
    expect([rng.bits(), rng.bits(), rng.bits(), rng.bits()]).toEqual([11520, 0, 5927040, 70819200]);
  });

  it('goes on from a saved state to the bit', () => {
    const rng = Rng.of(5);
    for (let i = 0; i < 10; i++) randomNormal(rng);
    const saved = JSON.parse(JSON.stringify(rng.state)) as RngState;
    const next = Array.from({ length: 20 }, () => rng.uniform());
    const again = rngFrom(saved);
    expect(Array.from({ length: 20 }, () => again.uniform())).toEqual(next);
  });

  it('differs by every key and by their order, and refuses what is no seed', () => {
    const lists = [
      [],
      [0],
      [1],
      [0, 0],
      [0, 1],
      [1, 0],
      [2 ** 32],
      [2 ** 32 + 1],
      [-1],
      [2 ** 53 - 1],
      [1, 0, 0],
    ];
    const firsts = lists.map((keys) => Rng.of(...keys).bits());
    expect(new Set(firsts).size).toBe(lists.length);
    expect(() => Rng.of(0.5)).toThrow(RangeError);
    expect(() => Rng.of(Number.NaN)).toThrow(RangeError);
    expect(() => rngFrom([0, 0, 0, 0])).toThrow(RangeError);
  });

  it('forks generators that share nothing with each other or with the parent', () => {
    const parent = Rng.of(3);
    const children = Array.from({ length: 50 }, () => parent.fork());
    const draws = [parent, ...children].map((rng) => Array.from({ length: 20 }, () => rng.bits()));
    expect(new Set(draws.flat()).size).toBe(51 * 20);
    const again = Rng.of(3);
    const last = Array.from({ length: 50 }, () => again.fork()).at(-1) as Rng;
    expect(Array.from({ length: 20 }, () => last.bits())).toEqual(draws.at(-1));
  });

  it('has the moments of what it draws', () => {
    const rng = Rng.of(1);
    const count = 40_000;
    const moments = (draw: () => number) => {
      const values = Array.from({ length: count }, draw);
      const mean = values.reduce((a, b) => a + b) / count;
      return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / count, values] as const;
    };
    const [mean, variance, values] = moments(() => rng.uniform(2, 6));
    expect(Math.abs(mean - 4)).toBeLessThan(0.03);
    expect(Math.abs(variance - 16 / 12)).toBeLessThan(0.03);
    expect(values.every((v) => v >= 2 && v < 6)).toBe(true);
    const [centre, spread] = moments(() => randomNormal(rng, 3, 2));
    expect(Math.abs(centre - 3)).toBeLessThan(0.05);
    expect(Math.abs(spread - 4)).toBeLessThan(0.15);
    const faces = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) {
      const face = randomInteger(rng, 6);
      faces[face] = (faces[face] as number) + 1;
    }
    for (const face of faces) expect(Math.abs(face - 10_000)).toBeLessThan(500);
  });

  it('shuffles to every order alike', () => {
    const rng = Rng.of(2);
    const orders = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = shuffle(rng, [0, 1, 2, 3]).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(160);
  });
});

describe('samplers', () => {
  it('give the reference weights', () => {
    const weights = lesionWeights([0, 30, 10]);
    const mean = 40 / 3;
    const expected = [0, 30, 10].map((a) => (a + 0.1 * mean) / (1.1 * 40));
    for (const [i, weight] of expected.entries()) expect(weights[i]).toBeCloseTo(weight, 14);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 14);
    expect([...lesionWeights([0, 0, 0, 0])]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it('draw as often as the weights say, and never what has none', () => {
    const counts = [0, 0, 0, 0];
    for (const i of weightedSampler([1, 0, 5, 2], 7, 80_000).order(0)) counts[i] = (counts[i] as number) + 1;
    expect(counts[1]).toBe(0);
    expect(Math.abs((counts[0] as number) - 10_000)).toBeLessThan(500);
    expect(Math.abs((counts[2] as number) - 50_000)).toBeLessThan(700);
    expect(weightedSampler([0, 0, 3], 7, 5).order(1)).toEqual(Uint32Array.of(2, 2, 2, 2, 2));
  });

  it('depend on seed and epoch alone', () => {
    const makers: [string, (seed: number) => Sampler][] = [
      ['shuffled', (seed) => shuffledSampler(50, seed)],
      ['weighted', (seed) => weightedSampler(new Array(50).fill(1), seed)],
    ];
    for (const [, make] of makers) {
      const sampler = make(1);
      const [third, first] = [sampler.order(3), sampler.order(1)];
      expect(make(1).order(1)).toEqual(first);
      expect(make(1).order(3)).toEqual(third);
      expect(third).not.toEqual(first);
      expect(make(2).order(1)).not.toEqual(first);
    }
    expect([...shuffledSampler(50, 1).order(0)].sort((a, b) => a - b)).toEqual([
      ...sequentialSampler(50).order(9),
    ]);
  });

  it('refuse weights there is nothing to draw by', async () => {
    await expectDataError(() => weightedSampler([], 1), 'nothing to draw');
    await expectDataError(() => weightedSampler([0, 0], 1), 'nothing to draw');
    await expectDataError(() => weightedSampler([1, -1], 1), 'item 1');
    await expectDataError(() => weightedSampler([Number.NaN], 1), 'item 0');
  });
});

describe('drawTransform', () => {
  it('stays within the ranges, fills them, and flips as often as told', () => {
    const all = Array.from({ length: 20_000 }, (_, i) => drawTransform(POST_AUGMENTATION, 1, 0, i));
    const range = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
    const [least, most] = range(all.map(({ scale }) => scale));
    expect(least >= 0.95 && least < 0.9501 && most < 1.05 && most > 1.0499).toBe(true);
    const [low, high] = range(all.map(({ angle }) => angle));
    expect(low >= -14 && low < -13.97 && high < 16 && high > 15.97).toBe(true);
    expect(Math.abs(all.filter(({ flip }) => flip).length - 10_000)).toBeLessThan(360);
    const some = augmentation(0.2, 90, 0);
    expect(some.angle).toEqual([-90, 90]);
    expect(Array.from({ length: 500 }, (_, i) => drawTransform(some, 1, 0, i)).some(({ flip }) => flip)).toBe(
      false,
    );
  });

  it('depends on seed, epoch and position alone', () => {
    const draw = (seed: number, epoch: number, position: number) =>
      JSON.stringify(drawTransform(POST_AUGMENTATION, seed, epoch, position));
    expect(draw(1, 2, 3)).toBe(draw(1, 2, 3));
    expect(new Set([draw(1, 2, 3), draw(3, 2, 1), draw(1, 3, 2), draw(2, 2, 3), draw(1, 2, 4)]).size).toBe(5);
  });

  it('refuses what is no augmentation', async () => {
    await expectDataError(() => augmentation(1, 0, 0), 'scale', 'not 1');
    await expectDataError(() => augmentation(0, 181, 0), 'rotation', 'not 181');
    await expectDataError(() => augmentation(0, 0, 1.5), 'flip', 'not 1.5');
    await expectDataError(() => augmentation(Number.NaN, 0, 0), 'scale');
  });
});
