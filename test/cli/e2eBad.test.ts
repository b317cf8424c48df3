/** Bad input from the command line: one sentence that names what, where and the remedy, and nothing harmed. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunConfig } from '../../src/cli/records.js';
import { runPaths } from '../../src/cli/runFolder.js';
import { encodePng } from '../../src/data/png.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { decodeResume, decodeWeights, encodeWeights } from '../../src/unet/checkpoint.js';
import { UNet } from '../../src/unet/model.js';
import { encodeChunks, type SafeTensor } from '../../src/unet/safetensors.js';
import { makeTiff } from '../data/makeTiff.js';
import { imageFile, maskFile, someBytes } from '../data/support.js';
import { type Ended, filesOf, makeData, sentenceOf, TINY, useCommand } from './command.js';

const MINUTES = 60_000;
const shell = useCommand();
const place = (name: string) => join(shell.folder, name);
let data = '';
let run = '';
const mounts: string[] = [];

beforeAll(async () => {
  data = await makeData(place('data'));
  run = place('run');
  const settings = ['--data', data, '--valid', '0.34', ...TINY, '--epochs', '2', '--stop-after', '1'];
  const trained = await shell.run(['train', ...settings, '--out', run]);
  expect(trained, trained.err).toMatchObject({ code: 0, err: '' });
}, 10 * MINUTES);

afterAll(() => {
  for (const mount of mounts) spawnSync('umount', [mount]);
});

/** A training of `path` that must fail before its folder is made, and leave the data as they are. */
async function refused(path: string, ...more: string[]): Promise<string> {
  const out = place('never');
  const before = existsSync(path) ? filesOf(join(path, '..')) : undefined;
  const sentence = sentenceOf(await shell.run(['train', '--data', path, '--out', out, ...TINY, ...more]));
  expect(existsSync(out), 'the run folder was made').toBe(false);
  if (before) expect(filesOf(join(path, '..'))).toEqual(before);
  return sentence;
}

/** A small tree with changes; undefined takes a file away. */
function tree(name: string, changes: Readonly<Record<string, Uint8Array | undefined>>): string {
  const files = new Map<string, Uint8Array>();
  for (const patient of ['P_A', 'P_B']) {
    for (const n of [1, 2]) {
      files.set(`${patient}/${patient}_${n}.tif`, imageFile(16, 16, n));
      files.set(`${patient}/${patient}_${n}_mask.tif`, maskFile(16, 16, 20));
    }
  }
  for (const [path, bytes] of Object.entries(changes)) {
    if (bytes) files.set(path, bytes);
    else files.delete(path);
  }
  const folder = join(place(name), 'tree');
  for (const [path, bytes] of files) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

const rgb = { width: 16, height: 16, channels: 3, data: someBytes(16 * 16 * 3) };

describe('train refuses a data set', { timeout: 5 * MINUTES }, () => {
  it('that is not there, or empty', async () => {
    expect(await refused(place('nowhere'))).toMatch(/nowhere.*no such file/);
    mkdirSync(place('hollow/empty'), { recursive: true });
    expect(await refused(place('hollow/empty'))).toMatch(
      /hollow\/empty: no slices named .*; give the folder/,
    );
  });

  it.each([
    [
      'a mask without image',
      { 'P_A/P_A_2.tif': undefined },
      /no image for the mask P_A\/P_A_2_mask\.tif; add/,
    ],
    [
      'an image without mask',
      { 'P_A/P_A_2_mask.tif': undefined },
      /no mask for P_A\/P_A_2\.tif; a mask is named/,
    ],
    [
      'an image and mask of two sizes',
      { 'P_B/P_B_1_mask.tif': maskFile(8, 8) },
      /P_B_1_mask\.tif: the mask is 8x8 and its image is 16x16; /,
    ],
    [
      'slices of two sizes',
      { 'P_B/P_B_1.tif': imageFile(8, 8), 'P_B/P_B_1_mask.tif': maskFile(8, 8) },
      /2 sizes: .*8x8.*16x16.*; resize/,
    ],
    [
      'a TIFF cut short',
      { 'P_A/P_A_1.tif': imageFile(16, 16).subarray(0, 400) },
      /P_A_1\.tif: the TIFF file is (cut short|damaged) \(.*\); copy it again/,
    ],
    [
      'planes apart',
      { 'P_A/P_A_1.tif': makeTiff({ ...rgb, planar: 2 }) },
      /P_A_1\.tif: .*plan.*; save it as plain/,
    ],
    [
      'tiles with LZW',
      { 'P_A/P_A_1.tif': makeTiff({ ...rgb, tile: 16, compression: 5 }) },
      /P_A_1\.tif: .*LZW.*; save it as plain/,
    ],
    [
      'text named .tif',
      { 'P_A/P_A_1.tif': new TextEncoder().encode('patient notes, not a picture') },
      /P_A_1\.tif: not a TIFF file \(.*\); check what it is/,
    ],
    [
      'a mask of other values',
      { 'P_A/P_A_1_mask.tif': maskFile(16, 16, 9, [0, 7]) },
      /P_A_1_mask\.tif: the mask holds .*7.*; a mask must hold 0 and 255 only/,
    ],
  ] as const)('with %s', async (name, changes, expected) => {
    expect(await refused(tree(name.replaceAll(' ', '-'), changes))).toMatch(expected);
  });

  it('in a zip that is broken or climbs out of its folder', async () => {
    const zip = zipSync({ 'P/P_1.tif': imageFile(), 'P/P_1_mask.tif': maskFile() });
    mkdirSync(place('zips'));
    writeFileSync(place('zips/cut.zip'), zip.subarray(0, zip.length - 40));
    expect(await refused(place('zips/cut.zip'))).toMatch(
      /cut\.zip: .*cut short or damaged .*; download or copy/,
    );
    writeFileSync(
      place('zips/climb.zip'),
      zipSync({ '../../P/P_1.tif': imageFile(), 'P/P_1_mask.tif': maskFile() }),
    );
    expect(await refused(place('zips/climb.zip'))).toMatch(
      /climb\.zip: the entry "\.\.\/\.\.\/P\/P_1\.tif" leads out .*; do not use/,
    );
    expect(existsSync(place('P'))).toBe(false);
  });

  it('by a split that names a patient who is absent, or is not JSON', async () => {
    const split = place('absent.json');
    writeFileSync(split, JSON.stringify({ train: ['SYN_0001_20000101'], valid: ['NOBODY_1'] }));
    expect(await refused(data, '--split', split)).toMatch(/absent\.json.*NOBODY_1/);
    writeFileSync(split, '{"train": [');
    expect(await refused(data, '--split', split)).toMatch(/absent\.json.*JSON/);
    expect(await refused(data, '--split', place('no.json'))).toMatch(
      /Could not read .*no\.json: there is no such file/,
    );
  });
});

describe('the command line', { timeout: 5 * MINUTES }, () => {
  it.each([
    [['train', '--data', 'x', '--colour', 'red'], /unknown option '--colour'; see shadergrad train --help/],
    [
      ['train', '--data', 'x', '--batchsize', '2'],
      /unknown option '--batchsize'; did you mean --batch-size\?/,
    ],
    [['trian', '--data', 'x'], /unknown command 'trian'; did you mean train\?/],
    [['train'], /train needs --data <path> \(or --resume <run>\)\./],
    [
      ['train', '--data', 'x', '--epochs', '1.5'],
      /--epochs must be a whole number of at least 1, not "1\.5"\./,
    ],
    [['train', '--data', 'x', '--dice-weight', '2'], /--dice-weight must be a number from 0 to 1, not "2"\./],
    [['train', '--resume', 'x', '--epochs', '9'], /--epochs cannot be changed by --resume: /],
    [
      ['predict', 'x.tif', '--out', 'y'],
      /required option '--model <path>' not specified; see shadergrad predict --help/,
    ],
  ])('%j', async (args, expected) => {
    expect(sentenceOf(await shell.run(args), 2)).toMatch(expected);
  });
});

describe('a model that does not fit', { timeout: 5 * MINUTES }, () => {
  it('the size of its slices', async () => {
    expect(await refused(data, '--depth', '4', '--size', '50')).toMatch(
      /depth 4 the size must be a multiple of 8, not 50/,
    );
    const args = ['predict', data, '--model', run, '--out', place('never'), '--size', '15'];
    expect(sentenceOf(await shell.run(args), 2)).toMatch(
      /--size must be a multiple of 2, as the model has depth 2, not 15/,
    );
    expect(existsSync(place('never'))).toBe(false);
  });

  it('the adapter: need and limit, at once and before anything is written', async () => {
    const large = ['--depth', '4', '--base-channels', '64', '--size', '1024', '--batch-size', '8'];
    expect(await refused(data, ...large)).toMatch(
      /needs a (binding|buffer) of \d+ bytes, but this adapter allows \d+ \(max\w+\); use a smaller batch, image or model\.$/,
    );
    expect(await refused(data, '--depth', '30')).toMatch(
      /depth 30 with 2 base channels needs a weight of [\d.e+]+ elements, above the \d+ of a tensor; use fewer/,
    );
  });
});

describe('no adapter', { timeout: 5 * MINUTES }, () => {
  it('of that name', async () => {
    expect(await refused(data, '--adapter', 'nosuch')).toMatch(
      /No adapter's name contains "nosuch"; there is: .+\./,
    );
    const demo = await shell.run(['demo', '--out', place('never'), '--adapter', 'nosuch']);
    expect(sentenceOf(demo)).toMatch(/nosuch/);
    expect(existsSync(place('never'))).toBe(false);
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'at all: no driver, and SwiftShader damaged',
    async () => {
      const { version } = JSON.parse(
        readFileSync(new URL('../../node_modules/@sparticuz/chromium/package.json', import.meta.url), 'utf8'),
      ) as { version: string };
      const unpacked = place(`cache/shadergrad/swiftshader-${version}`);
      mkdirSync(unpacked, { recursive: true });
      writeFileSync(join(unpacked, 'libvulkan.so.1'), 'no library');
      const nowhere = place('no-driver.json');
      const env = {
        SHADERGRAD_ADAPTER: 'auto',
        XDG_CACHE_HOME: place('cache'),
        VK_DRIVER_FILES: nowhere,
        VK_ICD_FILENAMES: nowhere,
      };
      expect(
        sentenceOf(await shell.run(['train', '--data', data, '--out', place('never')], { env })),
      ).toMatch(
        /There is no WebGPU adapter: .*SwiftShader cannot be used \(.*libvulkan\.so\.1 does not load: .*\)\. Install a Vulkan driver for your GPU\.$/,
      );
      expect(existsSync(place('never'))).toBe(false);
    },
  );
});

/** The bytes of a U-Net's weights as they are when new. */
async function weights(config: ConstructorParameters<typeof UNet>[0]): Promise<Buffer> {
  return Buffer.concat(await encodeWeights(new UNet(config), { size: 16 }));
}

describe('a checkpoint', { timeout: 5 * MINUTES }, () => {
  const predict = (model: string) => shell.run(['predict', data, '--model', model, '--out', place('never')]);
  const evaluate = (file: string) =>
    shell.run(['evaluate', run, '--checkpoint', file, '--out', place('never')]);

  /** A copy of the run, changed; it must be as it was after `work`. */
  async function changed(
    change: (copy: string) => void,
    work: (copy: string) => Promise<Ended>,
  ): Promise<string> {
    const copy = place('changed');
    cpSync(run, copy, { recursive: true });
    change(copy);
    const before = filesOf(copy);
    const sentence = sentenceOf(await work(copy));
    expect(filesOf(copy)).toEqual(before);
    rmSync(copy, { recursive: true });
    return sentence;
  }

  it('cut short', async () => {
    const cut = place('cut.safetensors');
    const whole = readFileSync(runPaths(run).best);
    writeFileSync(cut, whole.subarray(0, whole.length - 100));
    expect(sentenceOf(await predict(cut))).toMatch(
      /cut\.safetensors is cut short: .*; use an intact copy\.$/,
    );
    expect(sentenceOf(await evaluate(cut))).toMatch(/cut\.safetensors is cut short: /);
    writeFileSync(cut, whole.subarray(0, 200));
    expect(sentenceOf(await predict(cut))).toMatch(/cut\.safetensors is cut short: its header/);
    const sentence = await changed(
      (copy) => truncateSync(runPaths(copy).resume, 5000),
      (copy) => shell.run(['train', '--resume', copy]),
    );
    expect(sentence).toMatch(/changed\/resume\.safetensors is cut short: /);
    expect(existsSync(place('never'))).toBe(false);
  });

  it('of another model', async () => {
    const other = place('other.safetensors');
    const someTensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) } as const;
    writeFileSync(other, Buffer.concat(encodeChunks(new Map([['encoder.w', someTensor]]), {})));
    expect(sentenceOf(await predict(other))).toMatch(/other\.safetensors is no U-Net .*encoder\.w.*; /);
    expect(sentenceOf(await evaluate(other))).toMatch(/other\.safetensors is no U-Net /);
    writeFileSync(other, await weights({ inChannels: 1, depth: 2, baseChannels: 2 }));
    expect(sentenceOf(await predict(other))).toMatch(
      /other\.safetensors is of a U-Net from 1 to 1 channel, .*; take another/,
    );

    const { state } = decodeWeights(readFileSync(runPaths(run).best), 'best');
    const tensors = new Map([...state].map(([name, each]) => [name, { dtype: 'F32', ...each } as const]));
    const metadata = {
      model: JSON.stringify({ inChannels: 3, outChannels: 1, depth: 3, baseChannels: 2, dropout: 0 }),
      preparation: '{"size":16}',
    };
    writeFileSync(other, Buffer.concat(encodeChunks(tensors, metadata)));
    expect(sentenceOf(await predict(other))).toMatch(
      /other\.safetensors: These weights are of another model: missing .*; build/,
    );
    expect(sentenceOf(await predict(place('none.safetensors')))).toMatch(
      /Could not read .*none\.safetensors: there is no such file/,
    );
  });

  it('that is none, or contradicts itself: each sentence names the file and what to do', async () => {
    const file = place('odd.safetensors');
    const { state } = decodeWeights(readFileSync(runPaths(run).best), 'best');
    const whole = new Map([...state].map(([name, each]) => [name, { dtype: 'F32', ...each } as const]));
    const counts = new Map<string, SafeTensor>(whole);
    counts.set('last.bias', { dtype: 'I32', shape: [1], data: new Int32Array(1) });
    const model = { inChannels: 3, outChannels: 1, depth: 2, baseChannels: 2, dropout: 0 };
    const of = (size: number, change = {}, tensors: ReadonlyMap<string, SafeTensor> = whole) =>
      Buffer.concat(
        encodeChunks(tensors, {
          model: JSON.stringify({ ...model, ...change }),
          preparation: JSON.stringify({ size }),
        }),
      );
    const odd: readonly (readonly [Uint8Array, RegExp])[] = [
      [
        encodePng({ width: 8, height: 8, channels: 1, data: new Uint8Array(64) }),
        /is not a safetensors file: /,
      ],
      [of(16, { depth: 0 }), /: UNet: depth must be a whole number/],
      [of(16, { baseChannels: 4 }), /: These weights are of another model: /],
      [of(15), / contradicts itself: with depth 2 its size must be a multiple of 2, not 15/],
      [of(16, {}, counts), /: Tensor "last\.bias" is I32/],
    ];
    for (const [bytes, told] of odd) {
      writeFileSync(file, bytes);
      for (const ended of [await predict(file), await evaluate(file)]) {
        const sentence = sentenceOf(ended);
        expect(sentence).toMatch(told);
        expect(sentence).toMatch(/odd\.safetensors.*; take another file\.$/);
      }
    }
    writeFileSync(file, of(100_000));
    expect(sentenceOf(await predict(file), 2)).toMatch(
      /odd\.safetensors: slices cannot be seen at 100000x100000 \(.*\); give a smaller --size\.$/,
    );
    expect(sentenceOf(await predict(place('data')))).toMatch(
      /data is no run folder: it has neither config\.json nor best\.safetensors; give a folder/,
    );
    expect(existsSync(place('never'))).toBe(false);
  });

  it('of another run, or none, for --resume', async () => {
    const resume = (copy: string) => shell.run(['train', '--resume', copy]);
    const plain = await changed((copy) => copyFileSync(runPaths(run).best, runPaths(copy).resume), resume);
    expect(plain).toMatch(/resume\.safetensors: there is no "resume" in its metadata/);
    const settings = await changed((copy) => {
      const { config } = runPaths(copy);
      const saved = JSON.parse(readFileSync(config, 'utf8')) as RunConfig;
      const model = { ...saved.training.model, baseChannels: 4 };
      writeFileSync(config, JSON.stringify({ ...saved, training: { ...saved.training, model } }));
    }, resume);
    expect(settings).toMatch(/resume\.safetensors is of another run: .*config\.json; put/);
    const half = await changed((copy) => truncateSync(runPaths(copy).config, 100), resume);
    expect(half).toMatch(/config\.json is damaged: it is not JSON/);
    const nothing = sentenceOf(await resume(place('data')));
    expect(nothing).toMatch(/data is no run folder: it has no config\.json/);
  });
});

describe('evaluate refuses', { timeout: 5 * MINUTES }, () => {
  it('data that are a single file, moved, or of other patients', async () => {
    const told = (...args: string[]) => shell.run(['evaluate', run, '--out', place('never'), ...args]);
    const one = place('one.tif');
    writeFileSync(one, imageFile());
    expect(sentenceOf(await told('--data', one))).toMatch(
      /one\.tif: a single file, .*; give the folder or zip/,
    );
    expect(sentenceOf(await told('--data', tree('others', {})))).toMatch(
      /split\.json: the split names .* not in the data set: .*; give the data that the run was trained on by --data\.$/,
    );
    renameSync(data, place('moved'));
    expect(sentenceOf(await told())).toMatch(
      /^The run was trained on .*kaggle_3m, which is not there now; tell by --data where it lies\.$/,
    );
    expect(sentenceOf(await shell.run(['train', '--resume', run]))).toMatch(
      /tell by --data where it lies\.$/,
    );
    renameSync(place('moved'), data);
    expect(existsSync(place('never'))).toBe(false);
  });

  it("another run's folder for its figures, and is its own run's by whatever name", async () => {
    const other = place('other-run');
    cpSync(run, other, { recursive: true });
    const before = filesOf(other);
    expect(sentenceOf(await shell.run(['evaluate', run, '--out', other]))).toMatch(
      /other-run is the folder of another run, .*; give another --out\.$/,
    );
    expect(filesOf(other)).toEqual(before);
    const own = await shell.run(['evaluate', other, '--out', join(other, '../other-run')]);
    expect(own.out).toContain(`wrote ${runPaths(other).report}`);
  });
});

describe('Ctrl-C', { timeout: 5 * MINUTES }, () => {
  it('ends predict after an image, to be gone on with', async () => {
    const scans = place('many');
    mkdirSync(scans);
    for (let i = 100; i < 400; i++) writeFileSync(join(scans, `s_${i}.tif`), imageFile(64, 64, i));
    const out = place('many masks');
    const args = ['predict', scans, '--model', run, '--out', out];
    const running = shell.start(args);
    await running.until(join(out, 's_101_mask.tif'));
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code, ended.err).toBe(130);
    expect(ended.err).toMatch(
      /^stopping after this image; once more ends at once\nshadergrad: stopped by SIGINT with (\d+) images left; go on with --skip-existing\.\n$/,
    );
    const names = [...filesOf(out).keys()];
    expect(names.length).toBeLessThan(300);
    for (const name of names) expect(name).toMatch(/^s_\d+_mask\.tif$/);
    const rest = await shell.run([...args, '--skip-existing']);
    expect(rest.code).toBe(0);
    expect(rest.out).toContain(`${300 - names.length} written, ${names.length} there already`);
  });

  it('ends evaluate with nothing written', async () => {
    const folder = place('half');
    const out = join(folder, 'deep');
    const running = shell.start(['evaluate', run, '--out', out]);
    await running.until(out);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code, ended.err).toBe(130);
    expect(ended.err).toMatch(
      /^stopping; once more ends at once\nshadergrad: stopped by SIGINT while measuring; nothing was written\.\n$/,
    );
    expect(existsSync(folder)).toBe(false);
  });
});

/** A small file system, or undefined where this process may not mount one. */
function mountSmall(name: string, options: string): string | undefined {
  const at = place(name);
  mkdirSync(at);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]).status !== 0) return undefined;
  mounts.push(at);
  return at;
}

describe('an output that cannot be written', { timeout: 5 * MINUTES }, () => {
  const writers = (out: string): string[][] => [
    ['train', '--data', data, ...TINY, '--valid', '0.34', '--epochs', '1', '--out', join(out, 'run')],
    ['predict', join(data, 'SYN_0001_20000101'), '--model', run, '--out', join(out, 'masks')],
    ['evaluate', run, '--out', join(out, 'figures')],
    ['prepare', '--data', data, '--out', join(out, 'split.json')],
    ['preview', '--data', data, '--out', join(out, 'item.png')],
    ['report', run, '--out', join(out, 'page.html')],
  ];

  it('as the folder is read-only', async (test) => {
    let out = place('read-only');
    if (process.getuid?.() === 0) {
      const mounted = mountSmall('read-only', 'size=64k,ro');
      if (mounted === undefined) return test.skip('needs the right to mount a tmpfs');
      out = mounted;
    } else {
      mkdirSync(out);
      chmodSync(out, 0o555);
    }
    for (const args of writers(out)) {
      expect(sentenceOf(await shell.run(args)), args[0]).toMatch(
        /^Could not (make the folder|write) .*read-only\/.*: (the file system is read-only \(EROFS\)|permission is denied \(EACCES\))/,
      );
    }
    expect(filesOf(out).size).toBe(0);
  });

  it('as the disk is full: what was written before is whole', async (test) => {
    const out = mountSmall('full', 'size=32k');
    if (out === undefined) return test.skip('needs the right to mount a tmpfs');
    for (const [command, ...args] of writers(out).slice(1)) {
      writeFileSync(join(out, 'filler'), new Uint8Array(32 * 1024));
      const sentence = sentenceOf(await shell.run([command as string, ...args]));
      expect(sentence, command).toMatch(/^Could not (write|make the folder) .*: the disk is full \(ENOSPC\)/);
      expect([...filesOf(out).keys()], command).toEqual(['filler']);
    }
    rmSync(join(out, 'filler'));
    // Room for the beginning, not for a whole run.
    const sentence = sentenceOf(await shell.run(writers(out)[0] as string[]));
    expect(sentence).toMatch(
      /^Could not (write|add a line to) .*full\/run\/.*: the disk is full \(ENOSPC\); .*\.$/,
    );
    const paths = runPaths(join(out, 'run'));
    expect([...filesOf(paths.root).keys()].filter((name) => name.includes('.part'))).toEqual([]);
    decodeResume(readFileSync(paths.resume), 'resume');
    JSON.parse(readFileSync(paths.config, 'utf8'));
  });

  it('as it is a file, or would replace an input', async () => {
    const file = place('a-file');
    writeFileSync(file, encodeTiff({ width: 16, height: 16, channels: 1, data: new Uint8Array(256) }));
    const train = ['train', '--data', data, ...TINY, '--valid', '0.34', '--out', join(file, 'run')];
    expect(sentenceOf(await shell.run(train))).toMatch(/a-file\/run: a part of the path is a file/);
    const runBefore = filesOf(run);
    const { best, config } = runPaths(run);
    const training = ['train', '--data', data, ...TINY, '--out', place('never')];
    for (const args of [
      ['report', run, '--out', best],
      ['preview', '--data', data, '--out', join(data, 'SYN_0001_20000101/SYN_0001_20000101_1.tif')],
      [...training, '--trace', join(data, 'SYN_0001_20000101/SYN_0001_20000101_1.tif')],
      ['train', '--resume', run, '--trace', config],
    ])
      expect(sentenceOf(await shell.run(args)), args[0]).toMatch(
        /is an input and would be replaced; give another --(out|trace)\.$/,
      );
    expect(filesOf(run)).toEqual(runBefore);
    expect(existsSync(place('never'))).toBe(false);

    const before = filesOf(data);
    const over = await shell.run(['predict', data, '--model', run, '--out', data]);
    expect(over.code).toBe(1);
    expect(over.err).toMatch(/would replace an input; give another --out/);
    expect(filesOf(data)).toEqual(before);
  });
});
