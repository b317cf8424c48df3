import { describe, expect, it } from 'vitest';
import {
  average,
  bestThreshold,
  overlap,
  SegmentationMetrics,
  thresholdMask,
  thresholdRange,
} from '../../src/unet/metrics.js';

const shape = (depth: number, width: number) => ({ depth, height: 1, width });

/** Feeds a patient given as one string a slice: P predicted only, T truth only, B both, . neither. */
function feed(metrics: SegmentationMetrics, patient: string, slices: readonly string[]): void {
  metrics.begin(patient, shape(slices.length, (slices[0] as string).length));
  slices.forEach((slice, index) => {
    const p = Float32Array.from(slice, (c) => (c === 'P' || c === 'B' ? 0.9 : 0.1));
    const t = Uint8Array.from(slice, (c) => (c === 'T' || c === 'B' ? 255 : 0));
    metrics.add(patient, index, p, t);
  });
}

describe('overlap and averages', () => {
  it('has no value for nothing against nothing', () => {
    expect(overlap(0, 0, 0)).toMatchObject({ dice: null, iou: null });
    expect(overlap(0, 3, 0).dice).toBe(0);
    expect(overlap(2, 1, 1)).toMatchObject({ dice: 4 / 6, iou: 2 / 4 });
  });

  it('leaves null out, and takes the middle of an even count', () => {
    expect(average([null, 0.4, 1, 0.2, 0.3])).toEqual({
      mean: (0.2 + 0.3 + 0.4 + 1) / 4,
      median: 0.35,
      count: 4,
    });
    expect(average([3, 10, 2]).median).toBe(3);
    expect(average([null])).toEqual({ mean: null, median: null, count: 0 });
  });

  it('counts a probability at the threshold as background', () => {
    expect([...thresholdMask(Float32Array.of(0.5, 0.50001, Number.NaN, 1), 0.5)]).toEqual([0, 1, 0, 1]);
    expect([...thresholdMask(Float32Array.of(0.3), 0.3)]).toEqual([0]);
  });
});

describe('SegmentationMetrics', () => {
  it('gives the figures worked out by hand', () => {
    const metrics = new SegmentationMetrics();
    feed(metrics, 'a', ['BBT.....', 'BP......', '......PP', '........']);
    feed(metrics, 'b', ['TT......', 'P.......']);
    const { plain, largest, cases, ...rest } = metrics.summary();
    expect(rest).toMatchObject({
      threshold: 0.5,
      patients: 2,
      slices: 6,
      lesionSlices: 3,
      lesionFreeSlices: 3,
    });
    // a: |P∩T| = 3, |P| = 6, |T| = 4; the component at the left has 4 of the 6.
    const a = { dice: 0.6, iou: 3 / 7, truePositive: 3, falsePositive: 3, falseNegative: 1 };
    expect(cases[0]?.plain).toEqual({
      ...a,
      lesionSliceDice: (4 / 5 + 2 / 3) / 2,
      falsePositiveSlices: 1,
      falsePositivePixels: 2,
    });
    expect(cases[0]?.largest).toMatchObject({
      dice: 6 / 8,
      truePositive: 3,
      falsePositive: 1,
      falsePositiveSlices: 0,
    });
    expect(cases[1]?.plain).toMatchObject({ dice: 0, truePositive: 0, falsePositive: 1, falseNegative: 2 });
    expect(plain.dice).toEqual({ mean: 0.3, median: 0.3, count: 2 });
    expect(plain.lesionSliceDice).toEqual({ mean: (4 / 5 + 2 / 3 + 0) / 3, median: 2 / 3, count: 3 });
    expect(plain.pooled).toEqual({
      dice: 6 / 13,
      iou: 3 / 10,
      truePositive: 3,
      falsePositive: 4,
      falseNegative: 3,
    });
    expect(plain).toMatchObject({ falsePositiveSlices: 2, falsePositivePixels: 3 });
    expect(largest.dice.mean).toBe(0.375);
    expect(largest).toMatchObject({ falsePositiveSlices: 1, falsePositivePixels: 1 });
  });

  it('does not reward empty volumes, and says what it did', () => {
    const metrics = new SegmentationMetrics();
    feed(metrics, 'good', ['BB..', '....']);
    feed(metrics, 'empty', ['....', '....']);
    feed(metrics, 'false', ['P...', '....']);
    feed(metrics, 'missed', ['TT..', '....']);
    const { plain, notes } = metrics.summary();
    expect(plain.dice).toEqual({ mean: 1 / 3, median: 0, count: 3 });
    expect(plain.lesionSliceDice.count).toBe(2);
    expect(notes.join('\n')).toMatch(
      /Not counted in any mean.*: empty\.\n.*Dice 0.*: false\.\n.*all background.*: missed\./,
    );
  });

  it('tells when every prediction is background', () => {
    const metrics = new SegmentationMetrics();
    feed(metrics, 'a', ['TT..']);
    feed(metrics, 'b', ['.T..']);
    expect(metrics.summary().notes).toEqual([expect.stringMatching(/all background for every patient/)]);
  });

  it('takes slices in any order and of patients in turn, with the same figures', () => {
    const slices = ['BBT.', 'BP..', '...P'];
    const forth = new SegmentationMetrics();
    feed(forth, 'a', slices);
    feed(forth, 'b', slices);
    const mixed = new SegmentationMetrics();
    mixed.begin('a', shape(3, 4));
    mixed.begin('b', shape(3, 4));
    for (const index of [2, 0, 1]) {
      for (const patient of ['b', 'a']) {
        const slice = slices[index] as string;
        mixed.add(
          patient,
          index,
          Uint8Array.from(slice, (c) => ('PB'.includes(c) ? 1 : 0)),
          Float32Array.from(slice, (c) => ('TB'.includes(c) ? 0.9999 : 0)),
        );
      }
    }
    const byName = (m: SegmentationMetrics) =>
      [...m.summary().cases].sort((x, y) => (x.patient < y.patient ? -1 : 1));
    expect(byName(mixed)).toEqual(byName(forth));
  });

  it('sweeps thresholds in one pass, each as if measured alone', () => {
    const p = Float32Array.of(0.05, 0.15, 0.35, 0.55, 0.75, 0.95);
    const t = Uint8Array.of(0, 0, 1, 0, 1, 1);
    const sweep = new SegmentationMetrics([0.5, 0.1, 0.7, 0.3]);
    sweep.begin('a', shape(1, 6));
    sweep.add('a', 0, p, t);
    expect(sweep.thresholds).toEqual([0.1, 0.3, 0.5, 0.7]);
    for (const threshold of sweep.thresholds) {
      const alone = new SegmentationMetrics(threshold);
      alone.begin('a', shape(1, 6));
      alone.add('a', 0, p, t);
      expect(sweep.summary(threshold)).toEqual(alone.summary());
    }
    expect(sweep.sweep().map((point) => point.meanDice)).toEqual([6 / 8, 6 / 7, 4 / 6, 4 / 5]);
    expect(bestThreshold(sweep.sweep())).toBe(0.3);
    expect(() => sweep.summary(0.4)).toThrow('Threshold 0.4 was not measured');
  });

  it('chooses the threshold nearest to 0.5 among equals', () => {
    const point = (threshold: number, meanDice: number | null) => ({
      threshold,
      meanDice,
      medianDice: null,
      meanDiceLargest: null,
      medianDiceLargest: null,
      pooledDice: null,
    });
    expect(bestThreshold([point(0.1, 0.8), point(0.4, 0.8), point(0.9, 0.8), point(0.5, 0.7)])).toBe(0.4);
    expect(bestThreshold([point(0.1, null), point(0.5, null)])).toBe(0.5);
    expect(thresholdRange()).toHaveLength(19);
    expect(thresholdRange(0.1)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
  });

  it.each<[string, (m: SegmentationMetrics) => void, RegExp]>([
    ['an unknown patient', (m) => m.add('x', 0, new Uint8Array(4), new Uint8Array(4)), /x was not announced/],
    [
      'a slice past the end',
      (m) => m.add('a', 2, new Uint8Array(4), new Uint8Array(4)),
      /no slice 2 of patient a: it has 2/,
    ],
    [
      'a wrong size',
      (m) => m.add('a', 0, new Uint8Array(5), new Uint8Array(4)),
      /\(5\).*slice 0 of patient a/,
    ],
    [
      'NaN',
      (m) => m.add('a', 1, Float32Array.of(0, 0, Number.NaN, 0), new Uint8Array(4)),
      /slice 1 of patient a holds NaN/,
    ],
    ['an unfinished patient', (m) => m.summary(), /Patient a still lacks 2 of 2 slices/],
    ['a patient twice', (m) => m.begin('a', shape(1, 1)), /a was announced twice/],
    ['an empty volume', (m) => m.begin('b', shape(0, 4)), /b cannot have a volume of 0/],
  ])('refuses %s', (_, act, message) => {
    const metrics = new SegmentationMetrics();
    metrics.begin('a', shape(2, 4));
    expect(() => act(metrics)).toThrow(message);
  });

  it('refuses the same slice twice, and thresholds out of range', () => {
    const metrics = new SegmentationMetrics();
    metrics.begin('a', shape(2, 1));
    metrics.add('a', 0, new Uint8Array(1), new Uint8Array(1));
    expect(() => metrics.add('a', 0, new Uint8Array(1), new Uint8Array(1))).toThrow(/came twice/);
    expect(() => new SegmentationMetrics(1)).toThrow(/below 1/);
    expect(() => new SegmentationMetrics([])).toThrow(/1 to 255/);
    expect(() => new SegmentationMetrics(0.5).summary()).toThrow('No patient was measured');
  });
});
