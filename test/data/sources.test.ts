import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/data/crc32.js';
import { DataError } from '../../src/data/error.js';
import { openSource } from '../../src/data/node/files.js';
import { writeTree } from '../../src/data/node/writeTree.js';
import { blobSource, openZipBlob } from '../../src/data/web/blobs.js';
import { openZip } from '../../src/data/zip.js';
import type { RangeReader } from '../../src/data/zipDirectory.js';
import { expectDataError, someBytes } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'shadergrad-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files: Record<string, Uint8Array> = {
  'a/b/one.tif': someBytes(5000, 1),
  'a/two.tif': someBytes(10, 2),
  'three.txt': new Uint8Array(),
  'ü/vier.tif': someBytes(300, 4),
};
const stored: Zippable = Object.fromEntries(
  Object.entries(files).map(([path, bytes], i) => [path, [bytes, { level: i % 2 ? 0 : 9 }]]),
);
const zip = zipSync(stored, { comment: 'slices' });

function rangeOf(bytes: Uint8Array): RangeReader & { reads: number[] } {
  const reads: number[] = [];
  return {
    size: bytes.length,
    reads,
    async read(offset, length) {
      if (offset < 0 || offset + length > bytes.length)
        throw new Error(`read beyond the end: ${offset}+${length}`);
      reads.push(length);
      return bytes.slice(offset, offset + length);
    },
    close: async () => {},
  };
}

async function readAll(bytes: Uint8Array): Promise<void> {
  const source = await openZip(rangeOf(bytes), 'z.zip');
  for (const { path } of await source.list()) await source.read(path);
}

describe('sources', () => {
  it('give the same files from a folder, a zip and what a page holds', async () => {
    const tree = join(folder, 'tree');
    await writeTree(
      tree,
      Object.entries(files).map(([path, bytes]) => ({ path, bytes })),
    );
    writeFileSync(join(folder, 'z.zip'), zip);
    writeFileSync(join(folder, 'nameless'), zip);
    const blobs = new Map(
      Object.entries(files).map(([path, bytes]) => [path, new Blob([new Uint8Array(bytes)])]),
    );
    const sources = [
      await openSource(tree),
      await openSource(join(folder, 'z.zip')),
      await openSource(join(folder, 'nameless')),
      await openZipBlob(new Blob([new Uint8Array(zip)]), 'z.zip'),
      blobSource(blobs, 'dropped'),
    ];
    for (const source of sources) {
      const list = await source.list();
      expect(list.map(({ path, size }) => [path, size])).toEqual(
        Object.entries(files).map(([path, bytes]) => [path, bytes.length]),
      );
      for (const { path, crc } of list) {
        const bytes = Uint8Array.from(await source.read(path));
        expect(bytes).toEqual(files[path]);
        if (crc !== undefined) expect(crc).toBe(crc32(bytes));
      }
      await expectDataError(() => source.read('no/such.tif'), 'no/such.tif');
      await expectDataError(() => source.read('../z.zip'), '../z.zip');
      await source.close();
    }
  });

  it('take one file as a source of its own', async () => {
    const path = join(folder, 'single.tif');
    writeFileSync(path, files['a/two.tif'] as Uint8Array);
    const source = await openSource(path);
    expect(await source.list()).toEqual([{ path: 'single.tif', size: 10 }]);
    expect(Uint8Array.from(await source.read('single.tif'))).toEqual(files['a/two.tif']);
  });

  it('follow links, a loop of them once, and pass hidden files by', async () => {
    const root = join(folder, 'linked');
    mkdirSync(join(root, 'sub'), { recursive: true });
    writeFileSync(join(root, 'sub/x.tif'), 'x');
    writeFileSync(join(root, '.hidden'), 'x');
    symlinkSync(root, join(root, 'sub/loop'));
    symlinkSync(join(root, 'sub/x.tif'), join(root, 'y.tif'));
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling.tif'));
    const source = await openSource(root);
    expect((await source.list()).map((entry) => entry.path)).toEqual(['dangling.tif', 'sub/x.tif', 'y.tif']);
    // So that a slice that is missing is told of.
    await expectDataError(
      () => source.read('dangling.tif'),
      'dangling.tif',
      'a link to a file that is not there',
    );
  });

  it('name a path where there is nothing, or nothing that may be read', async () => {
    await expectDataError(() => openSource(join(folder, 'absent')), 'absent', 'no such file or folder');
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0);
    // The administrator may read everything.
    if (process.getuid?.() !== 0) await expectDataError(() => openSource(locked), 'locked', 'permissions');
    chmodSync(locked, 0o700);
    writeFileSync(join(folder, 'file'), '');
    const files = [{ path: 'below/x', bytes: new Uint8Array(1) }];
    await expectDataError(() => writeTree(join(folder, 'file'), files), 'cannot be written');
  });
});

describe('zip', () => {
  it('is read in pieces, never as a whole', async () => {
    const big: Zippable = {};
    for (let i = 0; i < 50; i++) big[`f${i}`] = [someBytes(20_000, i), { level: 0 }];
    const range = rangeOf(zipSync(big));
    const source = await openZip(range, 'z.zip');
    for (const { path } of await source.list()) await source.read(path);
    expect(Math.max(...range.reads)).toBeLessThan(70_000);
    expect(range.size).toBeGreaterThan(1_000_000);
  });

  it('is refused when it is cut short anywhere', async () => {
    for (let length = 0; length < zip.length; length++) {
      await expect(readAll(zip.slice(0, length)), `cut at ${length}`).rejects.toThrow(DataError);
    }
    await expectDataError(() => readAll(zip.slice(0, -30)), 'z.zip: ', 'cut short or damaged');
  });

  it('is refused, or read right, with any one byte changed', async () => {
    for (let at = 0; at < zip.length; at += 3) {
      const changed = zip.slice();
      changed[at] = (changed[at] as number) ^ 0x55;
      try {
        const source = await openZip(rangeOf(changed), 'z.zip');
        for (const { path } of await source.list()) {
          const bytes = await source.read(path);
          // A changed name, time or comment changes no content.
          expect(Object.values(files).some((file) => Buffer.compare(file, bytes) === 0)).toBe(true);
        }
      } catch (error) {
        expect(error, `byte ${at} changed: ${error}`).toBeInstanceOf(DataError);
      }
    }
  });

  it('names the entry whose content is damaged', async () => {
    const source = zipSync({ 'ok.tif': someBytes(100), 'bad.tif': [someBytes(100), { level: 0 }] });
    const at = source.indexOf(0x50, 100);
    expect(at).toBeGreaterThan(0);
    const text = new TextDecoder('latin1').decode(source);
    const start = text.indexOf('bad.tif') + 'bad.tif'.length;
    source[start + 5] = (source[start + 5] as number) ^ 1;
    const opened = await openZip(rangeOf(source), 'z.zip');
    expect(await opened.read('ok.tif')).toEqual(someBytes(100));
    await expectDataError(() => opened.read('bad.tif'), 'z.zip', 'bad.tif', 'checksum');
  });

  for (const path of [
    '../out.tif',
    'a/../../out.tif',
    '/etc/out.tif',
    'C:/out.tif',
    'a\\..\\..\\out.tif',
    '\\out',
  ]) {
    it(`with an entry ${path} is refused`, () =>
      expectDataError(
        () => openZip(rangeOf(zipSync({ [path]: new Uint8Array(1) })), 'z.zip'),
        'z.zip',
        'leads out of',
      ));
  }

  it('may have names with two dots in them', async () => {
    const source = await openZip(rangeOf(zipSync({ 'a..b/c...tif': new Uint8Array(1) })), 'z.zip');
    expect((await source.list()).map((entry) => entry.path)).toEqual(['a..b/c...tif']);
  });

  it('that is none is told apart from one that is broken', async () => {
    const text = new TextEncoder().encode('This is no zip at all, but a text of some length.');
    await expectDataError(() => openZip(rangeOf(text), 'z.zip'), 'z.zip: not a zip file');
    await expectDataError(() => openZip(rangeOf(new Uint8Array()), 'z.zip'), 'z.zip: not a zip file');
  });

  it('closes its file when it cannot be opened', async () => {
    let closed = 0;
    const range = { ...rangeOf(new Uint8Array(100)), close: async () => void closed++ };
    await expect(openZip(range, 'z.zip')).rejects.toThrow(DataError);
    expect(closed).toBe(1);
  });

  it('names an encrypted entry and an unknown method', async () => {
    const one = zipSync({ 'a.tif': new Uint8Array(20) });
    const directory = new DataView(one.buffer, one.byteOffset).getUint32(one.length - 6, true);
    const locked = one.slice();
    locked[directory + 8] = (locked[directory + 8] as number) | 1;
    await expectDataError(() => readAll(locked), 'a.tif is encrypted');
    const strange = one.slice();
    strange[directory + 10] = 93;
    await expectDataError(() => readAll(strange), 'a.tif is packed by method 93');
  });

  it('may be of the 64-bit kind', async () => {
    const small = zipSync({ 'a.tif': [someBytes(40), { level: 0 }] });
    const wide = toZip64(small);
    const source = await openZip(rangeOf(wide), 'z.zip');
    expect(await source.read('a.tif')).toEqual(someBytes(40));
  });
});

/** The same zip of one entry, its sizes and places in 64-bit fields and all 32-bit ones filled. */
function toZip64(zip: Uint8Array): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const directory = view.getUint32(zip.length - 6, true);
  const nameLength = view.getUint16(directory + 28, true);
  const entry = zip.slice(directory, directory + 46 + nameLength);
  const extra = new DataView(new ArrayBuffer(28));
  extra.setUint16(0, 1, true);
  extra.setUint16(2, 24, true);
  extra.setBigUint64(4, BigInt(view.getUint32(directory + 24, true)), true);
  extra.setBigUint64(12, BigInt(view.getUint32(directory + 20, true)), true);
  extra.setBigUint64(20, BigInt(view.getUint32(directory + 42, true)), true);
  const changed = new DataView(entry.buffer);
  changed.setUint32(20, 0xffffffff, true);
  changed.setUint32(24, 0xffffffff, true);
  changed.setUint32(42, 0xffffffff, true);
  changed.setUint16(30, 28, true);
  const size = entry.length + 28;
  const end = new DataView(new ArrayBuffer(56 + 20 + 22));
  end.setUint32(0, 0x06064b50, true);
  end.setBigUint64(4, 44n, true);
  end.setBigUint64(24, 1n, true);
  end.setBigUint64(32, 1n, true);
  end.setBigUint64(40, BigInt(size), true);
  end.setBigUint64(48, BigInt(directory), true);
  end.setUint32(56, 0x07064b50, true);
  end.setBigUint64(64, BigInt(directory + size), true);
  end.setUint32(72, 1, true);
  end.setUint32(76, 0x06054b50, true);
  end.setUint16(84, 0xffff, true);
  end.setUint16(86, 0xffff, true);
  end.setUint32(88, 0xffffffff, true);
  end.setUint32(92, 0xffffffff, true);
  const parts = [zip.slice(0, directory), entry, new Uint8Array(extra.buffer), new Uint8Array(end.buffer)];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
