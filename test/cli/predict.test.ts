import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../src/cli/files.js';
import { Stopped } from '../../src/cli/interrupt.js';
import { PredictError, predictFiles, type Segment } from '../../src/cli/predictFiles.js';
import { decodeImage } from '../../src/data/image.js';
import { encodePng } from '../../src/data/png.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { GpuError } from '../../src/engine/device.js';

let folder = '';
let out = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'predict-'));
  out = join(folder, 'out');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Lesion probability is the green channel: a stand-in for a model that shows which pixel went where. */
const byGreen: Segment = async ({ width, height, data }) =>
  Float32Array.from({ length: width * height }, (_, i) => (data[i * 3 + 1] as number) / 255);

/** RGB whose green rises from pixel to pixel. */
function scan(width: number, height: number) {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data[i * 3 + 1] = Math.floor((i * 255) / (width * height - 1));
  return { width, height, channels: 3, data } as const;
}

function put(path: string, bytes: Uint8Array | string): string {
  const full = join(folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, bytes);
  return full;
}

async function predict(
  options: Partial<Parameters<typeof predictFiles>[0]>,
  segment: Segment = byGreen,
  signal: () => string | null = () => null,
) {
  let text = '';
  let errors = '';
  const io = {
    stdout: { write: (t: string) => (text += t) },
    stderr: { write: (t: string) => (errors += t) },
  };
  const result = await predictFiles(
    { inputs: [], out, threshold: 0.5, ...options },
    segment,
    io,
    signal,
  ).then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  return { ...result, text, errors };
}

const image = (path: string) => decodeImage(readFileSync(path), path);

describe('predict', () => {
  it("writes a mask of each file's own size and type, by threshold", async () => {
    const inputs = [put('a.tif', encodeTiff(scan(5, 3))), put('b.png', encodePng(scan(4, 4)))];
    const { value, text } = await predict({ inputs, threshold: 0.7 });
    expect(value).toEqual({ written: 2, skipped: 0, empty: 0, failed: [] });
    const mask = image(join(out, 'a_mask.tif'));
    expect(mask).toMatchObject({ width: 5, height: 3, channels: 1 });
    // 15 pixels, green/255 = i/14 rounded down: above .7 from the eleventh on.
    expect([...mask.data]).toEqual([...new Array<number>(10).fill(0), ...new Array<number>(5).fill(255)]);
    expect(image(join(out, 'b_mask.png'))).toMatchObject({ width: 4, height: 4, channels: 1 });
    expect(text).toContain('(5x3, 5 lesion pixels)');
    const one = await predict({ inputs: [put('one.tif', encodeTiff(scan(2, 1)))], threshold: 0.7 });
    expect(one.text).toContain('(2x1, 1 lesion pixel)');
    expect(text).toContain('2 written');
  });

  it('writes probabilities, and the type that is asked for', async () => {
    const inputs = [put('a.tif', encodeTiff(scan(5, 3)))];
    await predict({ inputs, probabilities: true, format: 'png' });
    const written = readFileSync(join(out, 'a_prob.png'));
    expect(written.subarray(1, 4).toString()).toBe('PNG');
    expect([...image(join(out, 'a_prob.png')).data]).toEqual(
      Array.from({ length: 15 }, (_, i) => Math.floor((i * 255) / 14)),
    );
  });

  it('takes folders and zips with their folders, and leaves masks and other files out', async () => {
    const tiff = encodeTiff(scan(2, 2));
    put('tree/p/p_1.tif', tiff);
    put('tree/p/p_1_mask.tif', tiff);
    put('tree/readme.txt', 'hello');
    const zip = put('more.zip', zipSync({ 'q/q_1.tif': tiff, 'q/q_1_mask.tif': tiff, 'q/note.csv': tiff }));
    const { value } = await predict({ inputs: [join(folder, 'tree'), zip] });
    expect(value?.written).toBe(2);
    expect(readdirSync(out).sort()).toEqual(['p', 'q']);
    expect(readdirSync(join(out, 'p'))).toEqual(['p_1_mask.tif']);
    expect(existsSync(join(out, 'q', 'q_1_mask.tif'))).toBe(true);
  });

  it("leaves out a tree's second copy and says so, but no file that differs or lies by itself", async () => {
    const [tiff, other] = [encodeTiff(scan(2, 2)), encodeTiff(scan(3, 2))];
    const files = { 'k/p/p_1.tif': tiff, 'k/p/p_2.tif': tiff, 'alone.tif': tiff };
    const again = { 'lgg/k/p/p_1.tif': tiff, 'lgg/k/p/p_2.tif': other, 'lgg/alone.tif': tiff };
    const zip = put('double.zip', zipSync({ ...files, ...again }));
    const { value, errors } = await predict({ inputs: [zip] });
    expect(value).toMatchObject({ written: 5, failed: [] });
    expect(existsSync(join(out, 'lgg/k/p/p_1_mask.tif'))).toBe(false);
    expect(errors).toBe(`${zip}: left out 1 that is a copy in a second tree\n`);
  });

  it('names each bad file with its reason, does the rest, and fails at the end', async () => {
    const inputs = [
      put('text.tif', 'this is no picture'),
      put('cut.tif', encodeTiff(scan(64, 64)).subarray(0, 5000)),
      put('good.tif', encodeTiff(scan(2, 2))),
      join(folder, 'absent.tif'),
      put('broken.zip', 'PK\u0003\u0004 and no more'),
      put('empty/readme.txt', ''),
      put('list.csv', '1,2'),
    ].map((path) => (path.endsWith('readme.txt') ? join(path, '..') : path));
    const { error, errors, text } = await predict({ inputs });
    expect(error).toBeInstanceOf(PredictError);
    expect(String(error)).toMatch(/6 of 7 inputs failed: .* and 3 more; the others are done\./);
    for (const name of ['text.tif', 'cut.tif', 'absent.tif', 'broken.zip', 'empty', 'list.csv']) {
      expect(
        errors.split('\n').filter((line) => line.startsWith(`${join(folder, name)}: `)),
        name,
      ).toHaveLength(1);
    }
    expect(errors).not.toContain('good.tif');
    expect(text).toContain('1 written, 6 failed');
    expect(readdirSync(out)).toEqual(['good_mask.tif']);
  });

  it('names a zip once where one of its files is damaged, and does the others', async () => {
    const bytes = zipSync({ 'q/bad.tif': encodeTiff(scan(2, 2)), 'q/good.tif': encodeTiff(scan(2, 2)) });
    const at = Buffer.from(bytes).indexOf('q/bad.tif') + 'q/bad.tif'.length;
    bytes[at + 12] = (bytes[at + 12] as number) ^ 0x55;
    const zip = put('some.zip', bytes);
    const { errors, text } = await predict({ inputs: [zip] });
    expect(errors).toMatch(
      /^[^\n]*some\.zip\/q\/bad\.tif: the zip file is cut short or damaged \(q\/bad\.tif: [^\n]*\n$/,
    );
    expect(errors.split('some.zip')).toHaveLength(2);
    expect(text).toContain('1 written, 1 failed');
  });

  it('skips what is there already, when asked', async () => {
    const inputs = [put('a.tif', encodeTiff(scan(2, 2))), put('b.tif', encodeTiff(scan(2, 2)))];
    await predict({ inputs: inputs.slice(0, 1) });
    const before = statSync(join(out, 'a_mask.tif')).mtimeMs;
    let calls = 0;
    const counting: Segment = (each) => {
      calls++;
      return byGreen(each);
    };
    const { value } = await predict({ inputs, skipExisting: true }, counting);
    expect(value).toMatchObject({ written: 1, skipped: 1 });
    expect(calls).toBe(1);
    expect(statSync(join(out, 'a_mask.tif')).mtimeMs).toBe(before);
  });

  it('never replaces an input, nor one output by another', async () => {
    const truth = encodeTiff({ width: 2, height: 2, channels: 1, data: new Uint8Array(4) });
    const tree = join(put('tree/a_1.tif', encodeTiff(scan(2, 2))), '..');
    put('tree/a_1_mask.tif', truth);
    const over = await predict({ inputs: [tree], out: tree });
    expect(over.errors).toMatch(
      /a_1\.tif: its output .*a_1_mask\.tif would replace an input; give another --out/,
    );
    expect(new Uint8Array(readFileSync(join(tree, 'a_1_mask.tif')))).toEqual(new Uint8Array(truth));
    const inputs = [put('x/a.tif', encodeTiff(scan(2, 2))), put('y/a.tif', encodeTiff(scan(3, 3)))];
    const twice = await predict({ inputs });
    expect(twice.errors).toMatch(/y\/a\.tif: its output .* is that of .*x\/a\.tif too/);
    expect(image(join(out, 'a_mask.tif')).width).toBe(2);
  });

  it('knows an input by whatever link names it', async () => {
    const truth = encodeTiff({ width: 2, height: 2, channels: 1, data: new Uint8Array(4) });
    const tree = join(put('tree/a_1.tif', encodeTiff(scan(2, 2))), '..');
    put('tree/a_1_mask.tif', truth);
    symlinkSync(tree, join(folder, 'link'));
    for (const [inputs, to] of [
      [[join(folder, 'link')], tree],
      [[tree], join(folder, 'link')],
    ] as const) {
      expect((await predict({ inputs, out: to })).errors).toMatch(
        /would replace an input; give another --out/,
      );
      expect(new Uint8Array(readFileSync(join(tree, 'a_1_mask.tif')))).toEqual(new Uint8Array(truth));
    }
  });

  it('writes below an input, and goes on there; what it wrote is no input', async () => {
    const tree = join(put('tree/a_1.tif', encodeTiff(scan(2, 2))), '..');
    const within = { inputs: [tree], out: join(tree, 'masks') };
    expect((await predict({ ...within, probabilities: true })).value?.written).toBe(1);
    expect((await predict(within)).value?.written).toBe(1);
    put('tree/a_2.tif', encodeTiff(scan(2, 2)));
    const on = await predict({ ...within, skipExisting: true });
    expect(on.value).toMatchObject({ written: 1, skipped: 1 });
    expect((await predict(within)).errors).toMatch(/or --skip-existing where it is an earlier mask\.$/m);
  });

  it('does an image once that is given twice', async () => {
    const a = put('tree/a.tif', encodeTiff(scan(2, 2)));
    const { value, errors } = await predict({ inputs: [join(a, '..'), a] });
    expect(value).toMatchObject({ written: 1, failed: [] });
    expect(errors).toBe(`${a}: given twice, done once\n`);
  });

  it('says why there is nothing to segment, and what to give', async () => {
    put('masks/a_mask.tif', encodeTiff(scan(2, 2)));
    mkdirSync(join(folder, 'links'));
    symlinkSync(join(folder, 'gone.tif'), join(folder, 'links', 'b.tif'));
    for (const [name, told] of [
      ['masks', /masks: it holds only masks, named _mask, .*; give the scans\.$/m],
      ['links', /links\/b\.tif: a link to a file that is not there; mend the link/],
      ['notes.txt', /notes\.txt: its name does not end in .*; give an image/],
      ['empty.zip', /empty\.zip: there is no TIFF or PNG image in it; give a folder or zip of scans\.$/m],
    ] as const) {
      if (name === 'notes.txt') put(name, 'x');
      if (name === 'empty.zip') put(name, zipSync({}));
      const { errors, error } = await predict({ inputs: [join(folder, name)] });
      expect(errors).toMatch(told);
      expect(String(error)).toContain('1 of 1 input failed');
    }
    expect(existsSync(out)).toBe(false);
  });

  it('begins no image after a signal, and says how to go on', async () => {
    const inputs = ['a', 'b', 'c'].map((name) => put(`${name}.tif`, encodeTiff(scan(2, 2))));
    let calls = 0;
    const segment: Segment = (each) => {
      calls++;
      return byGreen(each);
    };
    const { error, text } = await predict({ inputs }, segment, () => (calls > 0 ? 'SIGINT' : null));
    expect(error).toBeInstanceOf(Stopped);
    expect(String(error)).toMatch(/stopped by SIGINT with 2 images left; go on with --skip-existing\.$/);
    expect(text).toContain('1 written');
    expect(readdirSync(out)).toEqual(['a_mask.tif']);
  });

  it('tells a model that gives nonsense from a bad file, and stops when the device is lost', async () => {
    const inputs = [put('a.tif', encodeTiff(scan(2, 2))), put('b.tif', encodeTiff(scan(2, 2)))];
    const nan = await predict({ inputs }, async () => new Float32Array(4).fill(Number.NaN));
    expect(nan.errors).toMatch(/a\.tif: the model gave a probability of NaN/);
    const short = await predict({ inputs }, async () => new Float32Array(3));
    expect(short.errors).toMatch(/gave 3 probabilities for 2x2 pixels/);
    expect(existsSync(out)).toBe(false);
    let calls = 0;
    const lost = await predict({ inputs }, async () => {
      calls++;
      throw new GpuError('lost', 'The device was lost.');
    });
    expect(lost.error).toBeInstanceOf(GpuError);
    expect(calls).toBe(1);
  });

  it('stops at once where nothing can be written', async () => {
    const inputs = [put('a.tif', encodeTiff(scan(2, 2))), put('b.tif', encodeTiff(scan(2, 2)))];
    let calls = 0;
    const { error } = await predict({ inputs, out: put('file', 'not a folder') }, (each) => {
      calls++;
      return byGreen(each);
    });
    expect(error).toBeInstanceOf(FileError);
    expect(calls).toBe(1);
  });

  it('speaks JSON to a machine', async () => {
    const inputs = [put('a.tif', encodeTiff(scan(2, 2))), put('bad.tif', 'no')];
    const { text, errors } = await predict(
      { inputs, json: true, threshold: 0.999 },
      async () => new Float32Array(4),
    );
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ kind, status }) => status ?? kind)).toEqual(['written', 'failed', 'summary']);
    expect(lines[0]).toMatchObject({ input: inputs[0], output: join(out, 'a_mask.tif'), lesionPixels: 0 });
    expect(lines[2]).toMatchObject({ written: 1, empty: 1, failed: [{ input: inputs[1] }] });
    expect(errors).toMatch(/bad\.tif/);
  });

  it('says when no mask holds anything', async () => {
    const { text } = await predict(
      { inputs: [put('a.tif', encodeTiff(scan(2, 2)))] },
      async () => new Float32Array(4),
    );
    expect(text).toContain('1 written, all of them without any lesion');
  });
});
