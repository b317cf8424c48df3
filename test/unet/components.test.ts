import { describe, expect, it } from 'vitest';
import { largestComponent } from '../../src/unet/components.js';

/** The same by flood fill, voxel by voxel. */
function reference(mask: Uint8Array, depth: number, height: number, width: number): Uint8Array {
  const seen = new Uint8Array(mask.length);
  let best: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || seen[start] === 1) continue;
    const part = [start];
    seen[start] = 1;
    for (let i = 0; i < part.length; i++) {
      const at = part[i] as number;
      const x = at % width;
      const y = Math.floor(at / width) % height;
      const z = Math.floor(at / width / height);
      const near: [boolean, number][] = [
        [x > 0, at - 1],
        [x < width - 1, at + 1],
        [y > 0, at - width],
        [y < height - 1, at + width],
        [z > 0, at - width * height],
        [z < depth - 1, at + width * height],
      ];
      for (const [inside, next] of near) {
        if (inside && mask[next] !== 0 && seen[next] === 0) {
          seen[next] = 1;
          part.push(next);
        }
      }
    }
    if (part.length > best.length) best = part;
  }
  const out = new Uint8Array(mask.length);
  for (const at of best) out[at] = 1;
  return out;
}

describe('largestComponent', () => {
  it('agrees with a flood fill on random volumes of many densities and odd sizes', () => {
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (let round = 0; round < 120; round++) {
      const depth = 1 + Math.floor(random() * 5);
      const height = 1 + Math.floor(random() * 9);
      const width = 1 + Math.floor(random() * 13);
      const density = random();
      const mask = Uint8Array.from({ length: depth * height * width }, () => (random() < density ? 255 : 0));
      expect(largestComponent(mask, { depth, height, width }), `${depth}x${height}x${width}`).toEqual(
        reference(mask, depth, height, width),
      );
    }
  });

  it('does not join diagonal neighbours, nor the end of a row with the start of the next', () => {
    const mask = Uint8Array.of(0, 0, 1, 1, 0, 0, 0, 1, 1);
    expect([...largestComponent(mask, { depth: 1, height: 3, width: 3 })]).toEqual([
      0, 0, 0, 0, 0, 0, 0, 1, 1,
    ]);
  });

  it('joins arms that meet late, in the plane and through slices', () => {
    const u = Uint8Array.of(1, 0, 1, 1, 0, 1, 1, 1, 1);
    expect(largestComponent(u, { depth: 1, height: 3, width: 3 })).toEqual(u);
    const through = Uint8Array.of(1, 0, 1, 1, 0, 1, 1, 1, 1);
    expect(largestComponent(through, { depth: 3, height: 1, width: 3 })).toEqual(through);
  });

  it('takes the first of equals, and nothing from nothing', () => {
    expect([...largestComponent(Uint8Array.of(0, 1, 0, 1), { depth: 1, height: 1, width: 4 })]).toEqual([
      0, 1, 0, 0,
    ]);
    expect([...largestComponent(new Uint8Array(4), { depth: 1, height: 2, width: 2 })]).toEqual([0, 0, 0, 0]);
  });

  it('refuses a mask of another size', () => {
    expect(() => largestComponent(new Uint8Array(3), { depth: 1, height: 2, width: 2 })).toThrow(
      /3 voxels.*1 x 2 x 2/,
    );
  });
});
