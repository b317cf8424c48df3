import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendLine,
  atomicWrite,
  ensureFolder,
  exists,
  FileError,
  removeLeftovers,
} from '../../src/cli/files.js';

let folder = '';
let mounts: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => {
  for (const mount of mounts) spawnSync('umount', [mount]);
  mounts = [];
  rmSync(folder, { recursive: true });
});

/** A small file system of its own, or undefined where this process may not mount one. */
function mountSmall(options: string): string | undefined {
  const place = join(folder, 'mount');
  mkdirSync(place, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place]).status !== 0) return undefined;
  mounts.push(place);
  return place;
}

async function caught(work: Promise<unknown>): Promise<FileError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FileError)) throw new Error(`expected a FileError, got ${String(error)}`);
  return error;
}

const MOUNTING = 'needs the right to mount a tmpfs';

describe('ensureFolder', () => {
  it('ends where a folder refuses new ones as if it were not there', async (test) => {
    if (process.platform !== 'linux') return test.skip('needs /proc');
    const error = await caught(ensureFolder('/proc/no/such'));
    expect(error.message).toMatch(/^Could not make the folder \/proc\/no\/such: .*; give another folder\.$/);
  });

  it('names what is in the way', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect((await caught(ensureFolder(join(folder, 'file')))).message).toMatch(
      /a file of that name is in the way/,
    );
    expect((await caught(ensureFolder(join(folder, 'file/a/b')))).message).toMatch(
      /a part of the path is a file/,
    );
    await ensureFolder(join(folder, 'a/b/c'));
    await ensureFolder(join(folder, 'a/b/c'));
  });
});

describe('atomicWrite', () => {
  it('writes text, bytes and pieces, makes folders and leaves nothing beside', async () => {
    const path = join(folder, 'a', 'b', 'c.txt');
    expect(await atomicWrite(path, 'é')).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe('é');
    await atomicWrite(path, Uint8Array.of(1, 2));
    function* pieces() {
      yield Uint8Array.of(3);
      yield Uint8Array.of(4, 5);
    }
    expect(await atomicWrite(path, pieces())).toBe(3);
    expect([...readFileSync(path)]).toEqual([3, 4, 5]);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['c.txt']);
  });

  it('keeps the earlier file when the content fails midway, and removes what it began', async () => {
    const path = join(folder, 'a.bin');
    await atomicWrite(path, 'before');
    function* broken() {
      yield new Uint8Array(10);
      throw new Error('tensor is gone');
    }
    const error = await caught(atomicWrite(path, broken()));
    expect(error.message).toBe(
      `Could not write ${path}: tensor is gone; the earlier file is kept as it was.`,
    );
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['a.bin']);
  });

  it('keeps the earlier file when the disk is full', async (context) => {
    const small = mountSmall('size=64k');
    if (small === undefined) return context.skip(MOUNTING);
    const path = join(small, 'last.safetensors');
    await atomicWrite(path, 'good');
    const error = await caught(atomicWrite(path, [new Uint8Array(40_000), new Uint8Array(40_000)]));
    expect(error.code).toBe('ENOSPC');
    expect(error.message).toBe(
      `Could not write ${path}: the disk is full (ENOSPC); the earlier file is kept as it was.`,
    );
    expect(readFileSync(path, 'utf8')).toBe('good');
    expect(readdirSync(small)).toEqual(['last.safetensors']);
    const other = await caught(atomicWrite(join(small, 'new'), new Uint8Array(100_000)));
    expect(other.message).toMatch(/the disk is full \(ENOSPC\); nothing was written\.$/);
  });

  it('says that a file system is read-only', async (context) => {
    const place = mountSmall('size=64k');
    if (place === undefined) return context.skip(MOUNTING);
    writeFileSync(join(place, 'a'), 'kept');
    if (spawnSync('mount', ['-o', 'remount,ro', place]).status !== 0) return context.skip(MOUNTING);
    expect((await caught(atomicWrite(join(place, 'a'), 'x'))).message).toMatch(
      /the file system is read-only \(EROFS\); the earlier file is kept as it was\.$/,
    );
    expect((await caught(ensureFolder(join(place, 'run', 'overlays')))).message).toMatch(
      /^Could not make the folder .*read-only/,
    );
    expect((await caught(appendLine(join(place, 'a'), 'x'))).code).toBe('EROFS');
  });

  it('says that permission is denied', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may write anywhere');
    chmodSync(folder, 0o555);
    const error = await caught(atomicWrite(join(folder, 'a'), 'x'));
    chmodSync(folder, 0o755);
    expect(error.message).toMatch(/permission is denied \(EACCES\); nothing was written\.$/);
  });

  it('names a file that stands where a folder should be', async () => {
    writeFileSync(join(folder, 'file'), '');
    const error = await caught(atomicWrite(join(folder, 'file', 'a.txt'), 'x'));
    expect(error.message).toMatch(/Could not make the folder .*file/);
    expect(await exists(join(folder, 'file', 'a.txt'))).toBe(false);
  });
});

it('leaves a whole file whenever the process is killed', async () => {
  const source = new URL('../../src/cli/files.ts', import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const path = join(folder, 'last.safetensors');
  // Each writing is 8 MB of one value, so a mixed or short file would show.
  const code = `${outputFiles[0]?.text}
    for (let i = 1; ; i++) {
      await atomicWrite(process.argv[1], Array.from({ length: 8 }, () => new Uint8Array(1 << 20).fill(i)));
      if (i === 1) console.log('ready');
    }`;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, path]);
    await once(child.stdout, 'data');
    await setTimeout(3 + 17 * round);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(8 << 20);
    expect(bytes.equals(Buffer.alloc(bytes.length, bytes[0]))).toBe(true);
  }
  await removeLeftovers(folder);
  expect(readdirSync(folder)).toEqual(['last.safetensors']);
});

describe('appendLine', () => {
  it('adds whole lines and makes the file', async () => {
    const path = join(folder, 'm.jsonl');
    await appendLine(path, '{"epoch":1}');
    await appendLine(path, '{"epoch":2}');
    expect(readFileSync(path, 'utf8')).toBe('{"epoch":1}\n{"epoch":2}\n');
  });

  it('says that a device is full', async (context) => {
    if (!(await exists('/dev/full'))) return context.skip('needs /dev/full');
    expect((await caught(appendLine('/dev/full', 'x'))).message).toBe(
      'Could not add a line to /dev/full: the disk is full (ENOSPC); the lines before are kept.',
    );
  });

  it('leaves no half line on a full disk', async (context) => {
    const small = mountSmall('size=16k');
    if (small === undefined) return context.skip(MOUNTING);
    const path = join(small, 'm.jsonl');
    await appendLine(path, 'first');
    const error = await caught(appendLine(path, 'x'.repeat(50_000)));
    expect(error.message).toMatch(
      /^Could not add a line to .* the disk is full \(ENOSPC\); the lines before are kept\.$/,
    );
    expect(statSync(path).size).toBe(6);
  });
});

it('removeLeftovers removes only temporary files', async () => {
  for (const name of ['.last.safetensors.123.part', 'a.part', '.hidden', 'last.safetensors'])
    writeFileSync(join(folder, name), '');
  expect(await removeLeftovers(folder)).toBe(1);
  expect(readdirSync(folder).sort()).toEqual(['.hidden', 'a.part', 'last.safetensors']);
});
