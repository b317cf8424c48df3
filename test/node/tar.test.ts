import { describe, expect, it } from 'vitest';
import { readTar } from '../../src/node/tar.js';

function header(name: string, size: number, type: string): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, '0000755\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(156, type);
  put(257, 'ustar\0');
  put(345, 'deep/er');
  return block;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe('readTar', () => {
  const data = new Uint8Array(700).map((_, i) => i);
  const padded = concat(data, new Uint8Array(1024 - 700));
  const archive = concat(
    header('folder/', 0, '5'),
    header('a.bin', 700, '0'),
    padded,
    header('empty', 0, '0'),
    new Uint8Array(1024),
  );

  it('gives regular files with their permissions', () => {
    const entries = readTar(archive);
    expect(entries.map(({ name, mode }) => [name, mode])).toEqual([
      ['deep/er/a.bin', 0o755],
      ['deep/er/empty', 0o755],
    ]);
    expect(entries[0]?.data).toEqual(data);
  });

  it('refuses an archive cut short', () => {
    expect(() => readTar(archive.subarray(0, 1200))).toThrow('The tar archive is damaged at byte 512.');
  });
});
