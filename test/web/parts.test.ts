/** Parts of the page that need no browser. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { encodePng } from '../../src/data/png.js';
import { memorySource } from '../../src/data/source.js';
import { syntheticFiles } from '../../src/data/synthetic.js';
import { decodeWeights } from '../../src/unet/checkpoint.js';
import { edgeLines, probabilityColor } from '../../web/segment/draw.js';
import { groupFiles, openGroup } from '../../web/segment/library.js';
import { SegmentState } from '../../web/segment/state.js';

it('draws the border of a mask as straight runs along the pixels, closed at the image’s edge', () => {
  // .##
  // .#.
  const lines = edgeLines(Uint8Array.of(0, 1, 1, 0, 1, 0), 3, 2);
  expect(lines).toEqual([
    [1, 0, 3, 0],
    [2, 1, 3, 1],
    [1, 2, 2, 2],
    [1, 0, 1, 2],
    [2, 1, 2, 2],
    [3, 0, 3, 1],
  ]);
  expect(edgeLines(new Uint8Array(6), 3, 2)).toEqual([]);
});

it('colours probabilities from clear to full', () => {
  expect(probabilityColor(0, 1)[3]).toBe(0);
  expect(probabilityColor(1, 0.5)).toEqual([255, 230, 90].map((v) => expect.closeTo(v, 1)).concat(127.5));
});

it('groups a doubled archive by patient, pairs masks by name, and names what is wrong', async () => {
  const files = new Map(
    [...syntheticFiles({ patients: 2, slices: 11, size: 16 })].map((f) => [f.path, f.bytes as Uint8Array]),
  );
  for (const [path, bytes] of [...files]) files.set(`lgg-mri-segmentation/${path}`, bytes);
  files.set('__MACOSX/kaggle_3m/._x.tif', new Uint8Array(3));
  files.set('lonely_mask.png', new Uint8Array(3));
  const { groups, lonely } = await groupFiles([memorySource(files)]);
  expect(groups.map(({ label, slices }) => [label, slices.length])).toEqual([
    ['SYN_0001_20000101', 11],
    ['SYN_0002_20000102', 11],
  ]);
  expect(groups[0]?.slices.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(groups[0]?.slices.every(({ mask, image }) => mask !== null && !image.path.startsWith('lgg'))).toBe(
    true,
  );
  expect([...lonely.keys()]).toEqual(['lonely']);

  const gray = encodePng({ width: 4, height: 4, channels: 1, data: new Uint8Array(16) });
  const odd = await groupFiles([
    memorySource(
      new Map([
        ['a/x.png', gray],
        ['a/y.tif', new Uint8Array(9)],
      ]),
    ),
  ]);
  const [group] = odd.groups;
  if (!group) throw new Error('There is no group.');
  const { view } = await openGroup(group, () => {});
  expect(view.slices.map(({ name, width }) => [name, width])).toEqual([['x', 4]]);
  expect(view.notes).toEqual([expect.stringContaining('a/y.tif')]);
});

it('counts areas and Dice at the threshold, per slice and volume, and says nothing of what it does not know', () => {
  const state = new SegmentState();
  const slice = { name: 's', width: 2, height: 2, gray: new Uint8Array(4) };
  state.setVolume({
    name: 'v',
    notes: [],
    slices: [
      { ...slice, truth: Uint8Array.of(1, 1, 0, 0) },
      { ...slice, truth: null },
    ],
  });
  expect(state.slice(0)).toEqual({ area: null, truth: 2, dice: null });
  expect(state.largest()).toBe(0);
  state.setProbabilities(0, Float32Array.of(0.9, 0.2, 0.6, 0));
  expect(state.slice(0)).toEqual({ area: 2, truth: 2, dice: 0.5 });
  expect(state.all().area).toBeNull();
  state.setProbabilities(1, Float32Array.of(0, 0, 0, 1));
  expect(state.all()).toEqual({ area: 3, truth: 2, dice: 0.5 });
  state.threshold = 0.7;
  expect(state.slice(0)).toEqual({ area: 1, truth: 2, dice: expect.closeTo(2 / 3) });
  state.setTruths(new Map([[1, Uint8Array.of(0, 0, 0, 1)]]));
  expect(state.all()).toEqual({ area: 2, truth: 3, dice: expect.closeTo(0.8) });
});

it('ships models that can be read, are listed and described, and are small', async () => {
  const folder = 'web/models';
  const card = await readFile(`${folder}/README.md`, 'utf8');
  const listed = JSON.parse(await readFile(`${folder}/models.json`, 'utf8')) as { readonly file: string }[];
  const files = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'));
  expect(files).toContain('synthetic-tiny.safetensors');
  for (const name of files) {
    const bytes = new Uint8Array(await readFile(`${folder}/${name}`));
    const { preparation, state } = decodeWeights(bytes, name);
    let values = 0;
    for (const { data } of state.values()) values += data.length;
    // f16: two bytes a value, and the header.
    expect(bytes.length, name).toBeLessThan(Math.min(2e6, 2 * values + 20_000));
    expect(preparation.size, name).not.toBeNull();
    expect(listed.map(({ file }) => file)).toContain(name);
    expect(card).toContain(`## ${name}`);
  }
});
