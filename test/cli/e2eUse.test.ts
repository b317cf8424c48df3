/** What is done with a trained run, from the command line: evaluate, predict, preview, report, demo, info. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { decode as decodePng } from 'fast-png';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../src/cli/records.js';
import { runPaths } from '../../src/cli/runFolder.js';
import { decodeImage } from '../../src/data/image.js';
import { encodePng } from '../../src/data/png.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { decodeWeights, encodeWeights, modelFrom } from '../../src/unet/checkpoint.js';
import { UNet } from '../../src/unet/model.js';
import { filesOf, makeData, TINY, useCommand } from './command.js';

const MINUTES = 60_000;
const shell = useCommand();
const place = (name: string) => join(shell.folder, name);
let data = '';
let run = '';
let loud = '';

/** A model that says yes here and no there, as one that was trained for seconds may not. */
async function writeLoudModel(path: string): Promise<void> {
  const unet = new UNet({ depth: 2, baseChannels: 4, dropout: 0, seed: 4 });
  const state = await unet.stateDict();
  for (const value of ['last.weight', 'last.bias']) {
    const data = state.get(value)?.data ?? new Float32Array();
    data.forEach((_, i) => {
      data[i] = value === 'last.bias' ? 0 : ([40, -40][i % 2] as number);
    });
  }
  unet.loadStateDict(state);
  writeFileSync(path, Buffer.concat(await encodeWeights(unet, { size: 16 })));
}

beforeAll(async () => {
  loud = place('loud.safetensors');
  await writeLoudModel(loud);
  data = await makeData(place('data'));
  run = place('run');
  const settings = ['--data', data, '--valid', '0.34', ...TINY, '--epochs', '1', '--lr', '0.01'];
  const trained = await shell.run(['train', ...settings, '--out', run]);
  expect(trained, trained.err).toMatchObject({ code: 0, err: '' });
}, 10 * MINUTES);

function summaryOf(folder: string): RunSummary {
  return JSON.parse(readFileSync(runPaths(folder).summary, 'utf8')) as RunSummary;
}

describe('evaluate', () => {
  it(
    'measures what it is told, and writes elsewhere without touching the run',
    async () => {
      const before = filesOf(run);
      const out = place('elsewhere');
      const {
        code,
        out: text,
        err,
      } = await shell.run([
        'evaluate',
        run,
        '--checkpoint',
        'last',
        '--patients',
        'all',
        '--threshold',
        '0.3',
        '--out',
        out,
        '--json',
      ]);
      expect(code, err).toBe(0);
      const told = JSON.parse(text) as RunSummary;
      expect(told).toEqual(summaryOf(out));
      expect(told).toMatchObject({ checkpoint: 'last', patients: 'all', epoch: 1 });
      expect(told.notes.join()).toContain('0.3');
      expect(told.notes.join()).toContain('were trained on');
      expect(told.metrics.cases).toHaveLength(3);
      expect(told.metrics.cases.map(({ slices }) => slices)).toEqual([12, 12, 12]);
      expect(readdirSync(out).sort()).toEqual(['evaluation.png', 'overlays', 'summary.json']);
      expect(filesOf(run)).toEqual(before);
    },
    10 * MINUTES,
  );

  it(
    'gives the figures of training for the same checkpoint, by name or by file',
    async () => {
      const { losses, metrics } = summaryOf(run);
      const file = place('copy.safetensors');
      copyFileSync(runPaths(run).best, file);
      const elsewhere = place('by-file');
      const byFile = await shell.run(['evaluate', run, '--checkpoint', file, '--out', elsewhere]);
      expect(byFile, byFile.err).toMatchObject({ code: 0, err: '' });
      expect(summaryOf(elsewhere)).toMatchObject({ losses, metrics, checkpoint: file });

      const inPlace = await shell.run(['evaluate', run]);
      expect(inPlace).toMatchObject({ code: 0, err: '' });
      expect(inPlace.out).toMatch(/^checkpoint best \(epoch 1\): loss [\d.]+ bce [\d.]+ dice [\d.]+$/m);
      expect(inPlace.out).toMatch(/^patients' 3D Dice: mean \S+ median \S+; /m);
      expect(inPlace.out).toContain(`wrote ${runPaths(run).report}`);
      expect(summaryOf(run)).toMatchObject({ losses, metrics });
    },
    10 * MINUTES,
  );
});

/** An image of any size whose bytes follow a rule. */
function picture(width: number, height: number, channels: 1 | 3) {
  const value = (i: number, c: number) => ((i * 7) % 251) + (c === 0 ? 0 : 2 * c);
  const bytes = Uint8Array.from({ length: width * height * channels }, (_, i) =>
    value(Math.floor(i / channels), i % channels),
  );
  return { width, height, channels, data: bytes } as const;
}

/** The gray image as RGB. */
function asRgb({ width, height, data: gray }: { width: number; height: number; data: Uint8Array }) {
  const bytes = Uint8Array.from({ length: gray.length * 3 }, (_, i) => gray[Math.floor(i / 3)] as number);
  return { width, height, channels: 3, data: bytes } as const;
}

const image = (path: string) => decodeImage(readFileSync(path), path);

describe('predict', () => {
  const inputs = () => {
    const folder = place('scans');
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'a.tif'), encodeTiff(picture(40, 24, 3)));
    writeFileSync(join(folder, 'deep', 'a_mask.tif'), encodeTiff(picture(40, 24, 1)));
    writeFileSync(place('more.zip'), zipSync({ 'z/b.tif': encodeTiff(picture(16, 16, 3)) }));
    writeFileSync(place('c.png'), encodePng(picture(33, 17, 3)));
    const gray = picture(21, 35, 1);
    writeFileSync(place('gray.tif'), encodeTiff(gray));
    writeFileSync(place('rgb.tif'), encodeTiff(asRgb(gray)));
    writeFileSync(place('bad.tif'), encodeTiff(picture(16, 16, 3)).subarray(0, 300));
    return [folder, ...['more.zip', 'c.png', 'gray.tif', 'rgb.tif', 'bad.tif'].map(place)];
  };

  it('masks folders, zips, TIFF and PNG at their own sizes; names the bad one and fails, the rest written', {
    timeout: 15 * MINUTES,
  }, async () => {
    const all = inputs();
    const good = all.filter((path) => !path.endsWith('bad.tif'));
    const masks = place('masks');
    const asked = ['--model', loud, '--out', masks];
    const first = await shell.run([
      'predict',
      ...good,
      ...asked,
      '--probabilities',
      '--format',
      'png',
      '--json',
    ]);
    expect(first.code, first.err).toBe(0);
    const lines = first.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string });
    expect(lines.map(({ kind }) => kind)).toEqual([...new Array<string>(5).fill('file'), 'summary']);
    const probabilities = image(join(masks, 'deep/a_prob.png'));
    const middle = [...probabilities.data].sort((x, y) => x - y)[probabilities.data.length / 2] as number;
    expect(new Set(probabilities.data).size).toBeGreaterThan(20);

    const threshold = `${(middle + 0.5) / 255}`;
    const second = await shell.run(['predict', ...all, ...asked, '--threshold', threshold]);
    expect(second.code).toBe(1);
    const told = second.err.trimEnd().split('\n');
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^[^ ]*bad\.tif: .*\.$/);
    expect(told[1]).toMatch(/^shadergrad: 1 of 6 inputs failed: [^ ]*bad\.tif; the others are done\.$/);
    const written = [...filesOf(masks).keys()].filter((name) => name.includes('_mask'));
    expect(written.sort()).toEqual([
      'c_mask.png',
      'deep/a_mask.tif',
      'gray_mask.tif',
      'rgb_mask.tif',
      'z/b_mask.tif',
    ]);
    for (const [name, width, height] of [
      ['c_mask.png', 33, 17],
      ['deep/a_mask.tif', 40, 24],
      ['gray_mask.tif', 21, 35],
      ['z/b_mask.tif', 16, 16],
    ] as const) {
      expect(image(join(masks, name)), name).toMatchObject({ width, height, channels: 1 });
    }
    expect([...image(join(masks, 'deep/a_mask.tif')).data]).toEqual(
      [...probabilities.data].map((value) => (value > middle ? 255 : 0)),
    );
    expect(image(join(masks, 'gray_mask.tif')).data).toEqual(image(join(masks, 'rgb_mask.tif')).data);

    // Only what is missing is done when asked.
    writeFileSync(place('d.png'), encodePng(picture(16, 16, 1)));
    const third = await shell.run([
      'predict',
      ...good,
      place('d.png'),
      '--model',
      run,
      '--out',
      masks,
      '--skip-existing',
    ]);
    expect(third, third.err).toMatchObject({ code: 0, err: '' });
    expect(third.out).toMatch(/^1 written, 5 there already/m);
    expect(existsSync(join(masks, 'd_mask.png'))).toBe(true);
  });
});

it(
  "takes the run's own threshold, from its folder and from its weights alone, and says so",
  async () => {
    const strict = place('strict');
    const settings = ['--data', data, '--valid', '0.34', ...TINY, '--epochs', '1', '--threshold', '0.3'];
    expect(await shell.run(['train', ...settings, '--out', strict])).toMatchObject({ code: 0 });
    writeFileSync(place('some.png'), encodePng(picture(16, 16, 3)));
    const predict = async (model: string, ...more: string[]) => {
      const args = ['predict', place('some.png'), '--model', model, '--out', place('some'), ...more];
      const { code, out, err } = await shell.run(args);
      expect(code, err).toBe(0);
      return out;
    };
    const { best } = runPaths(strict);
    expect(await predict(strict)).toContain("threshold 0.3 (the run's own), images seen at 16x16\n");
    expect(await predict(best)).toContain("threshold 0.3 (the run's own)");
    expect(await predict(strict, '--threshold', '0.7')).toContain('threshold 0.7 (by --threshold)');
    expect(await predict(loud)).toContain('threshold 0.5 (the usual, as the model tells none)');
    expect(await predict(strict, '--json')).toMatch(/"kind":"summary","threshold":0\.3,/);
    // A run of before its weights told: by its folder alone.
    const old = decodeWeights(readFileSync(best), best);
    writeFileSync(best, Buffer.concat(await encodeWeights(modelFrom(old), old.preparation)));
    expect(await predict(strict)).toContain('threshold 0.3');

    const own = await shell.run(['evaluate', strict]);
    expect(own.out).toContain(
      "A voxel is lesion where its probability exceeds 0.3, the run's own threshold.",
    );
    const other = await shell.run(['evaluate', strict, '--threshold', '0.6']);
    expect(other.out).toContain('exceeds 0.6, as --threshold says.');
    // Weights from elsewhere are measured at the size they were trained at, as predict uses them.
    const large = place('large.safetensors');
    const unet = new UNet({ depth: 2, baseChannels: 2 });
    writeFileSync(large, Buffer.concat(await encodeWeights(unet, { size: 32 })));
    const foreign = await shell.run(['evaluate', strict, '--checkpoint', large, '--out', place('foreign')]);
    expect(foreign, foreign.err).toMatchObject({ code: 0 });
    expect(foreign.out).not.toContain('The network sees slices at');
  },
  10 * MINUTES,
);

describe('preview, report, info', () => {
  it(
    'draws a slice and a sheet of its augmentations',
    async () => {
      const item = place('item.png');
      const one = await shell.run(['preview', '--data', data, '--item', '7', '--out', item]);
      expect(one).toMatchObject({ code: 0, err: '' });
      expect(one.out).toMatch(/_7\.tif: 32x32, values \d+ to \d+, \d+ lesion pixels; wrote .*item\.png$/m);
      expect(decodePng(readFileSync(item)).width).toBeGreaterThanOrEqual(64);

      const sheet = place('sheet.png');
      const many = await shell.run(['preview', '--data', data, '--item', '7', '--sheet', '--out', sheet]);
      expect(many, many.err).toMatchObject({ code: 0, err: '' });
      const { width, height } = decodePng(readFileSync(sheet));
      expect(width * height).toBeGreaterThan(24 * 32 * 32);

      const beyond = await shell.run(['preview', '--data', data, '--item', '37', '--out', place('no.png')]);
      expect(beyond).toMatchObject({ code: 2, out: '' });
      expect(beyond.err).toBe('shadergrad: --item must be at most 36, the slices there are, not 37.\n');
      expect(existsSync(place('no.png'))).toBe(false);
    },
    10 * MINUTES,
  );

  it(
    'writes the report again, here or there',
    async () => {
      const out = place('page.html');
      expect(await shell.run(['report', run, '--out', out])).toMatchObject({ code: 0, err: '' });
      expect(readFileSync(out, 'utf8')).toContain(basename(run));
    },
    MINUTES,
  );

  it(
    'tells the adapter as JSON',
    async () => {
      const { code, out, err } = await shell.run(['info', '--json']);
      expect(code, err).toBe(0);
      const told = JSON.parse(out) as {
        versions: { node: string };
        chosen: { limits: Record<string, number>; kind: string };
        adapters: { name: string }[];
      };
      expect(told.versions.node).toBe(process.version);
      expect(told.chosen.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
      expect(told.adapters.length).toBeGreaterThan(0);
    },
    MINUTES,
  );
});

it(
  'demo makes its data, trains and reports; a second one harms nothing',
  async () => {
    const out = place('demo');
    const { code, out: text, err } = await shell.run(['demo', '--out', out, '--epochs', '1']);
    expect(code, err).toBe(0);
    expect(text).toMatch(/^making \d+ synthetic patients in /m);
    expect(text).toMatch(/^wrote .*report\.html$/m);
    expect(readFileSync(runPaths(join(out, 'run')).report, 'utf8')).toMatch(/<\/html>\s*$/);
    expect(summaryOf(join(out, 'run')).metrics.cases.length).toBeGreaterThan(0);

    const before = filesOf(out);
    const again = await shell.run(['demo', '--out', out, '--epochs', '1', '--seed', '5']);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/^shadergrad: .*already holds a run: [^\n]*\n$/);
    expect(filesOf(out)).toEqual(before);
  },
  20 * MINUTES,
);
