import { describe, expect, it } from 'vitest';
import { BUDA_VALID, POST_VALID } from '../../src/data/knownSplits.js';
import { splitByPatient, writeSplit } from '../../src/data/split.js';
import { expectDataError } from './support.js';

const ids = Array.from({ length: 20 }, (_, i) => `P_${i}`).sort();
const file = (value: unknown) => ({ kind: 'file', name: 's.json', text: JSON.stringify(value) }) as const;

describe('splitByPatient', () => {
  it('by ratio takes the share, divides all, and depends on the seed alone', () => {
    const split = splitByPatient(ids, { kind: 'ratio', valid: 0.2, seed: 3 });
    expect(split.valid.length).toBe(4);
    expect([...split.train, ...split.valid].sort()).toEqual(ids);
    expect(splitByPatient([...ids].reverse(), { kind: 'ratio', valid: 0.2, seed: 3 })).toEqual(split);
    const others = [4, 5, 6].map((seed) => splitByPatient(ids, { kind: 'ratio', valid: 0.2, seed }).valid);
    for (const other of others) expect(other).not.toEqual(split.valid);
  });

  it('by ratio leaves neither side empty', async () => {
    expect(splitByPatient(['A', 'B'], { kind: 'ratio', valid: 0.01, seed: 0 }).valid.length).toBe(1);
    expect(splitByPatient(['A', 'B'], { kind: 'ratio', valid: 0.99, seed: 0 }).train.length).toBe(1);
    await expectDataError(
      () => splitByPatient(['A'], { kind: 'ratio', valid: 0.5, seed: 0 }),
      'at least 2 patients',
    );
    for (const valid of [0, 1, -1, 2, Number.NaN]) {
      await expectDataError(() => splitByPatient(ids, { kind: 'ratio', valid, seed: 0 }), 'between 0 and 1');
    }
  });

  it('chooses each patient about as often as any other', () => {
    const times = new Map(ids.map((id) => [id, 0]));
    for (let seed = 0; seed < 2000; seed++) {
      for (const id of splitByPatient(ids, { kind: 'ratio', valid: 0.25, seed }).valid) {
        times.set(id, (times.get(id) ?? 0) + 1);
      }
    }
    // 500 is expected; the bounds are five standard deviations off.
    for (const count of times.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  it('knows the published lists', async () => {
    expect([POST_VALID.length, BUDA_VALID.length]).toEqual([30, 10]);
    expect([new Set(POST_VALID).size, new Set(BUDA_VALID).size]).toEqual([30, 10]);
    const all = [...new Set([...POST_VALID, ...BUDA_VALID, 'TCGA_X'])];
    for (const [kind, list] of [
      ['post', POST_VALID],
      ['buda', BUDA_VALID],
    ] as const) {
      const split = splitByPatient(all, { kind });
      expect(split.valid).toEqual([...list].sort());
      expect(split.train).toEqual(all.filter((id) => !list.includes(id)).sort());
      await expectDataError(
        () => splitByPatient(ids, { kind }),
        `'${kind}'`,
        `${list.length} of its`,
        '--split ratio',
      );
      await expectDataError(
        () => splitByPatient(all.slice(1), { kind: 'post' }),
        '1 of its 30',
        all[0] as string,
      );
      await expectDataError(() => splitByPatient([...list], { kind }), 'no patient for training');
    }
  });

  it('reads back what it wrote', () => {
    const split = splitByPatient(ids, { kind: 'ratio', valid: 0.3, seed: 1 });
    const text = writeSplit(split);
    expect(JSON.parse(text)).toEqual({ kind: 'ratio', seed: 1, train: split.train, valid: split.valid });
    const read = splitByPatient(ids, { kind: 'file', name: 's.json', text });
    expect(read).toEqual({ kind: 'file', train: split.train, valid: split.valid, unused: [] });
  });

  it('from a file may leave patients out, and says which', () => {
    expect(splitByPatient(['A', 'B', 'C'], file({ train: ['A'], valid: ['C'] })).unused).toEqual(['B']);
  });

  it('names what is wrong with a file', async () => {
    const split = (value: unknown) => () => splitByPatient(['A', 'B'], file(value));
    await expectDataError(split({ train: ['A', 'B'], valid: ['B'] }), 's.json', 'both sides', 'B');
    await expectDataError(split({ train: ['A', 'Z'], valid: ['B'] }), 's.json', 'a patient that is not', 'Z');
    await expectDataError(split({ train: ['A', 'Y'], valid: ['Z'] }), '2 patients that are not', 'Y, Z');
    await expectDataError(split({ train: ['A', 'A'], valid: ['B'] }), 'A is twice in "train"');
    for (const value of [
      {},
      [],
      null,
      3,
      { train: ['A'] },
      { train: [], valid: ['A'] },
      { train: [1], valid: ['A'] },
    ]) {
      await expectDataError(split(value), 's.json', 'list of patients');
    }
    const text = '{"train": [';
    await expectDataError(
      () => splitByPatient(['A'], { kind: 'file', name: 's.json', text }),
      's.json',
      'not JSON',
    );
  });
});
