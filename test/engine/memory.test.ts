import { describe, expect, it } from 'vitest';
import { assignBuffers, type Lifetime, leastBytes } from '../../src/engine/plan/memory.js';
import { Store } from '../../src/engine/plan/storage.js';
import { numbers } from '../support/kernelRun.js';

const STEPS = 60;
const KIB = 1024;

function life(id: number, bytes: number, first: number, last: number): Lifetime {
  return { store: new Store(id, bytes, { kind: 'transient' }), first, last, apart: new Set() };
}

/** Of one launch that reads the one and writes the other. */
function keepApart(a: Lifetime, b: Lifetime): void {
  a.apart.add(b.store);
  b.apart.add(a.store);
}

const live = (a: Lifetime, b: Lifetime) => a.first <= b.last && b.first <= a.last;

/** Stores of odd sizes, some short, some long, of which those made and read in one step are kept apart. */
function some(seed: number): Lifetime[] {
  const random = numbers(400, 0, 1, seed);
  const lives = Array.from({ length: 80 }, (_, i) => {
    const [a, b, c] = [random[4 * i], random[4 * i + 1], random[4 * i + 2]] as [number, number, number];
    const first = Math.floor(a * STEPS) - 1;
    return life(i, 4 * (1 + Math.floor(c * 3000)), first, Math.min(STEPS, first + Math.floor(b * b * STEPS)));
  });
  for (const a of lives)
    for (const b of lives) if (a !== b && (a.last === b.first || a.first === b.first + 1)) keepApart(a, b);
  return lives;
}

describe('buffers', () => {
  it.each([
    1, 2, 3, 4, 5,
  ])('hold what is alive in ranges of its own, and never what one launch reads and writes (%d)', (seed) => {
    const lives = some(seed);
    const { places, sizes } = assignBuffers(lives);
    for (const a of lives) {
      const { buffer, at } = places.get(a.store) ?? { buffer: -1, at: -1 };
      expect(at % 256).toBe(0);
      expect(at + a.store.bytes).toBeLessThanOrEqual(sizes[buffer] as number);
      if (a.first < 0) expect(at).toBe(0);
      for (const b of lives) {
        const other = places.get(b.store);
        if (a === b || other?.buffer !== buffer || !live(a, b)) continue;
        expect(a.apart.has(b.store)).toBe(false);
        expect(at + a.store.bytes <= other.at || other.at + b.store.bytes <= at).toBe(true);
      }
    }
    const total = sizes.reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThanOrEqual(leastBytes(lives, STEPS));
    expect(Math.max(...sizes)).toBe(Math.max(...lives.map(({ store }) => store.bytes)));
    expect(assignBuffers(lives)).toEqual({ places, sizes });
  });

  it('are shared by two small ones while a large one is not there, unless one launch has both', () => {
    const of = (apart: boolean) => {
      const [large, a, b] = [life(0, 8 * KIB, 0, 1), life(1, 4 * KIB, 2, 9), life(2, 4 * KIB, 3, 9)];
      if (apart) keepApart(a, b);
      return assignBuffers([large, a, b]).sizes;
    };
    expect(of(false)).toEqual([8 * KIB]);
    expect(of(true)).toEqual([8 * KIB, 4 * KIB]);
  });
});
