import { expect, it } from 'vitest';
import { describeData, describeSplit } from '../../src/cli/describeData.js';
import { count, plural } from '../../src/cli/plural.js';
import { epochLines } from '../../src/cli/progress.js';
import { factsOf } from '../../src/cli/report/facts.js';
import { reportPage } from '../../src/cli/report/page.js';
import { config, epoch, summary } from './records.js';

/** `1 slices` and the like; a share such as `1 / 3 slices` or `0.1 images` is none. */
const ONE_OF_MANY =
  /(?<![\d.,])1 (epochs|patients|slices|steps|files|lesion slices|base channels|CPU cores|pixels)\b/;

it('counts one as one, and groups digits', () => {
  expect([0, 1, 2].map((n) => plural(n, 'slice'))).toEqual(['0 slices', '1 slice', '2 slices']);
  expect(plural(2, 'dispatch', 'dispatches')).toBe('2 dispatches');
  expect(plural(31_031_745, 'parameter')).toBe('31,031,745 parameters');
  expect([1, 999, 1000].map(count)).toEqual(['1', '999', '1,000']);
});

it('says of data and split what is there once in the singular', () => {
  const lines = [
    ...describeData('data', {
      patients: 1,
      slices: 1,
      lesionSlices: 1,
      lesionPixels: 1,
      pixels: 4,
      sizes: [{ width: 2, height: 2, slices: 1 }],
      maskValues: [0, 255],
      duplicates: ['again/a_1.tif'],
      duplicateTrees: ['again'],
      ignored: ['notes.txt'],
    }),
    ...describeSplit({ kind: 'file', train: ['A'], valid: ['B'], unused: [] }),
  ].join('\n');
  expect(lines).toContain('data: 1 patient, 1 slice, 1 with a lesion');
  expect(lines).toContain('left out 1 file that is a byte for byte copy in again');
  expect(lines).toContain('left out 1 file that is no slice: notes.txt');
  expect(lines).toContain('split file: 1 patient trains, 1 validates');
});

it('says of a run of one epoch, patient and step the same', () => {
  const usual = config();
  const side = { patients: 1, slices: 1, lesionSlices: 1 };
  const small = config({
    stepsPerEpoch: 1,
    training: { ...usual.training, epochs: 1, model: { ...usual.training.model, baseChannels: 1 } },
    data: { ...usual.data, train: side, valid: side },
    environment: { ...usual.environment, cpus: 1 },
  });
  const input = { title: 't', config: small, steps: [], samples: [], evaluation: null };
  const library = { script: '', style: '' };
  const page = reportPage({ ...input, epochs: [epoch(1, 1)], summary: summary(1), library });
  const none = reportPage({ ...input, epochs: [], summary: null, library });
  const lines = epochLines({ ...epoch(1, 1), scaling: { scale: 65536, skipped: 1 } }).join('\n');
  for (const text of [page, none, lines, JSON.stringify(factsOf(small))])
    expect(text).not.toMatch(ONE_OF_MANY);
  expect(page).toContain('1 of 1 epoch in 1 min');
  expect(page).toContain('mean Dice of 1 patient<');
  expect(page).toContain('one-cycle, 1 epoch of 1 step, 1 in all');
  expect(lines).toContain('1 step skipped');
});
