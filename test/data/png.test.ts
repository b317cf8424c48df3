import { encode, type ImageData } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/error.js';
import { decodeImage, grayOf, rgbOf } from '../../src/data/image.js';
import { decodePng, encodePng } from '../../src/data/png.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { expectDataError, someBytes } from './support.js';

describe('PNG', () => {
  for (const channels of [1, 3, 4] as const) {
    it(`gives ${channels} channels back as they were written`, () => {
      const image = { width: 11, height: 7, channels, data: someBytes(77 * channels) };
      const read = decodePng(encodePng(image), 'a.png');
      expect({ ...read, data: Uint8Array.from(read.data) }).toEqual(image);
    });
  }

  it('reduces 16 bits to 8 and says so', () => {
    const data = Uint16Array.of(0, 255, 256, 65535);
    const read = decodePng(encode({ width: 2, height: 2, channels: 1, depth: 16, data }), 'a.png');
    expect([...read.data]).toEqual([0, 0, 1, 255]);
    expect(read.note).toContain('a.png: 16-bit');
  });

  it('spreads 1 bit to 0 and 255', () => {
    // Ten pixels a row, so that rows end within a byte.
    const data = Uint8Array.of(0b10100000, 0b01000000, 0b00000001, 0b10000000);
    const read = decodePng(
      encode({ width: 10, height: 2, channels: 1, depth: 1, data } as ImageData),
      'a.png',
    );
    const rows = ['1010000001', '0000000110'].join('');
    expect([...read.data]).toEqual([...rows].map((bit) => Number(bit) * 255));
  });

  it('drops an opaque alpha beside gray and refuses one that is not', async () => {
    const data = Uint8Array.of(5, 255, 6, 255);
    const png = { width: 2, height: 1, channels: 2, depth: 8, data } as const;
    expect([...decodePng(encode(png), 'a.png').data]).toEqual([5, 6]);
    const clear = encode({ ...png, data: Uint8Array.of(5, 255, 6, 254) });
    await expectDataError(() => decodePng(clear, 'a.png'), 'a.png: ', 'alpha');
  });

  it('refuses a file cut short anywhere, or with a byte changed', () => {
    const image = { width: 11, height: 7, channels: 3 as const, data: someBytes(231) };
    const whole = encodePng(image);
    // The last 12 bytes say only that the file ends.
    for (let length = 0; length < whole.length - 12; length++) {
      expect(() => decodePng(whole.slice(0, length), 'a.png'), `cut at ${length}`).toThrow(DataError);
      expect(() => decodePng(whole.slice(0, length), 'a.png')).not.toThrow(/[:.]\)/);
    }
    const changed = whole.slice();
    changed[60] = (changed[60] as number) ^ 1;
    expect(() => decodePng(changed, 'a.png')).toThrow(/^a\.png: not a whole PNG file/);
  });
});

describe('decodeImage', () => {
  it('tells the format by content, whatever the name', async () => {
    const image = { width: 3, height: 2, channels: 1 as const, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect([...decodeImage(encodePng(image), 'a.tif').data]).toEqual([...image.data]);
    expect([...decodeImage(encodeTiff(image), 'a.png').data]).toEqual([...image.data]);
    await expectDataError(
      () => decodeImage(new TextEncoder().encode('hello there'), 'a.png'),
      'a.png',
      'PNG',
    );
    await expectDataError(
      () => decodeImage(new TextEncoder().encode('hello there'), 'a.tif'),
      'a.tif',
      'TIFF',
    );
  });

  it('makes three channels of one and of four, one of three that are the same', async () => {
    const gray = { width: 2, height: 1, channels: 1 as const, data: Uint8Array.of(7, 9) };
    expect([...rgbOf(gray, 'a')]).toEqual([7, 7, 7, 9, 9, 9]);
    const rgba = { width: 1, height: 1, channels: 4 as const, data: Uint8Array.of(1, 2, 3, 255) };
    expect([...rgbOf(rgba, 'a')]).toEqual([1, 2, 3]);
    await expectDataError(
      () => rgbOf({ ...rgba, data: Uint8Array.of(1, 2, 3, 0) }, 'a.png'),
      'a.png',
      'alpha',
    );
    const rgb = { width: 2, height: 1, channels: 3 as const, data: Uint8Array.of(0, 0, 0, 255, 255, 255) };
    expect([...grayOf(rgb, 'a')]).toEqual([0, 255]);
    const red = { ...rgb, data: Uint8Array.of(0, 0, 0, 255, 0, 0) };
    await expectDataError(() => grayOf(red, 'm.png'), 'm.png', 'coloured');
  });
});
