import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decode,
  decodeHeader,
  encode,
  encodeChunks,
  type SafeTensor,
  SafetensorsError,
  toFloat32,
} from '../../src/unet/safetensors.js';

const golden = new URL('../golden/', import.meta.url);

function f32(shape: number[], ...values: number[]): SafeTensor {
  return { dtype: 'F32', shape, data: Float32Array.from(values) };
}

/** A file of this header text and as many zero bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4]) =>
  JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  it('reads a file laid out by hand', () => {
    const { metadata, tensors } = decode(readFileSync(new URL('hand.safetensors', golden)));
    expect([...metadata]).toEqual([['model', 'hand']]);
    expect([...tensors.keys()]).toEqual(['a', 'b', 'c']);
    expect(tensors.get('a')).toEqual(f32([2, 2], 1.5, -2.25, 3e-38, 65504));
    expect([...toFloat32(tensors.get('b') as SafeTensor)]).toEqual([0.5, -65504, 2 ** -24]);
    expect(tensors.get('c')).toEqual({ dtype: 'U8', shape: [], data: Uint8Array.of(7) });
  });

  it('writes what a reader made of struct, json and numpy understands', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
    try {
      const path = join(folder, 'a.safetensors');
      const tensors = new Map<string, SafeTensor>([
        ['up.é"', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
        ['half', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }],
        ['w', f32([1, 2, 2], 1, -2, 3.5, 1e-40)],
        ['7', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 40n)) }],
        ['none', f32([0, 4])],
        ['scalar', { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) }],
      ]);
      writeFileSync(path, encode(tensors, { config: '{"depth":4}' }));
      const script = new URL('safetensors.py', golden).pathname;
      const python = spawnSync('python3', [script, '--read', path], { encoding: 'utf8' });
      if (python.error || /ModuleNotFoundError/.test(python.stderr)) context.skip('needs python3 with numpy');
      const read = JSON.parse(python.stdout) as {
        headerAligned: boolean;
        metadata: unknown;
        tensors: Record<string, { shape: number[]; values: unknown; aligned: boolean }>;
      };
      expect(read.headerAligned).toBe(true);
      expect(read.metadata).toEqual({ config: '{"depth":4}' });
      const values = Object.fromEntries(Object.entries(read.tensors).map(([name, t]) => [name, t.values]));
      expect(values).toEqual({
        'up.é"': [1, 2, 255],
        half: [1, -2],
        w: [
          [
            [1, -2],
            [3.5, Math.fround(1e-40)],
          ],
        ],
        7: [-(2 ** 40)],
        none: [],
        scalar: Math.PI,
      });
      expect(Object.values(read.tensors).every((t) => t.aligned)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives back what was encoded, bit for bit, at any alignment of the file in memory', () => {
    const tensors = new Map([
      ['b', f32([2], Number.NaN, Number.NEGATIVE_INFINITY)],
      ['a', f32([1, 3], 1, 2, 3)],
    ]);
    const bytes = encode(tensors, { note: 'ø' });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const each of [bytes, shifted.subarray(3)]) {
      const back = decode(each);
      expect(back.tensors.get('a')).toEqual(tensors.get('a'));
      expect(back.tensors.get('b')).toEqual(tensors.get('b'));
      expect(back.metadata.get('note')).toBe('ø');
    }
    expect(encode(decode(bytes).tensors, { note: 'ø' })).toEqual(bytes);
  });

  it('hands out the tensors in chunks without copying them', () => {
    const weights = new Float32Array(1000);
    const chunks = encodeChunks(new Map([['w', { dtype: 'F32', shape: [1000], data: weights } as const]]));
    expect(chunks).toHaveLength(2);
    expect(chunks[1]?.buffer).toBe(weights.buffer);
  });

  it('reads the header from the beginning of a file alone', () => {
    const bytes = encode(new Map([['w', f32([2], 1, 2)]]), { epoch: '3' });
    const header = decodeHeader(bytes.subarray(0, bytes.length - 8));
    expect(header.metadata.get('epoch')).toBe('3');
    expect(header.entries.get('w')).toEqual({ dtype: 'F32', shape: [2], begin: 0, end: 8 });
    expect(header.fileBytes).toBe(bytes.length);
  });

  it('tells at every length that a file is cut short', () => {
    const bytes = encode(new Map([['w', f32([3], 1, 2, 3)]]), { epoch: '3' });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length), 'last.safetensors')).toThrow(
        length < 8 ? /^last\.safetensors is not a safetensors file/ : /^last\.safetensors is cut short/,
      );
    }
  });

  it.each([
    ['trailing bytes', file(`{"a":${entry(0, 8)}}`, 9), /1 bytes after its last tensor/],
    ['an overlap', file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12), /"a" and "b" over the same bytes/],
    ['a hole', file(`{"a":${entry(0, 8)},"b":${entry(12, 16)}}`, 16), /hole of 4 bytes before tensor "b"/],
    ['a first tensor that does not begin at 0', file(`{"a":${entry(4, 8)}}`, 8), /hole of 4 bytes/],
    [
      'sizes that do not fit',
      file(`{"a":${entry(0, 8, [3])}}`, 8),
      /"a" 8 bytes, but F32 of shape \[3\] takes 12/,
    ],
    ['a shape whose product overflows', file(`{"a":${entry(0, 8, [2 ** 40, 2 ** 40])}}`, 8), /takes/],
    ['a negative size', file(`{"a":${entry(0, 8, [-2])}}`, 8), /not a list of sizes/],
    ['offsets the wrong way round', file(`{"a":${entry(8, 0, [2])}}`, 8), /data_offsets/],
    ['an unknown type', file('{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}', 4), /type "F31"/],
    [
      'a type that is a name of every object',
      file('{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}', 4),
      /"toString"/,
    ],
    ['metadata that is not text', file('{"__metadata__":{"n":1}}', 0), /metadata "n"/],
    ['a header that is a list', file('[]', 0), /not a JSON object/],
    ['a header that begins with a space', file(' {}', 0), /not a JSON object/],
    ['a header that is not JSON', file('{"a"', 0), /not JSON/],
    ['a PNG', Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13]), /not a safetensors file/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(SafetensorsError);
    expect(() => decode(bytes)).toThrow(message);
  });

  it('refuses to write data that does not fit its shape, and the name the format keeps', () => {
    expect(() => encode(new Map([['w', f32([3], 1, 2)]]))).toThrow(
      '"w" has 8 bytes, but F32 of shape [3] takes 12',
    );
    expect(() => encode(new Map([['__metadata__', f32([1], 1)]]))).toThrow(SafetensorsError);
  });

  it('turns bfloat16 and f64 into f32 and refuses integers', () => {
    expect([...toFloat32({ dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3fc0, 0xc000) })]).toEqual([
      1.5, -2,
    ]);
    expect([...toFloat32({ dtype: 'F64', shape: [1], data: Float64Array.of(0.1) })]).toEqual([
      Math.fround(0.1),
    ]);
    expect(() => toFloat32({ dtype: 'I32', shape: [1], data: Int32Array.of(1) }, 'step')).toThrow(
      '"step" is I32',
    );
  });
});
