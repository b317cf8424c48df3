import { fromArrayBuffer } from 'geotiff';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/error.js';
import { openSource } from '../../src/data/node/files.js';
import { decodeTiff } from '../../src/data/tiff.js';
import { Compression, unpackedLength } from '../../src/data/tiffStrips.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { lzw, makeTiff, type TiffRecipe } from './makeTiff.js';
import { expectDataError, realZip, someBytes } from './support.js';

/** What another reader makes of the file. */
async function oracle(bytes: Uint8Array) {
  const tiff = await fromArrayBuffer(new Uint8Array(bytes).buffer);
  const image = await tiff.getImage();
  const data = await image.readRasters({ interleave: true });
  return {
    width: image.getWidth(),
    height: image.getHeight(),
    channels: image.getSamplesPerPixel(),
    data: Uint8Array.from(data),
  };
}

const WIDTH = 37;
const HEIGHT = 29;
function recipe(channels: number, more: Partial<TiffRecipe> = {}): TiffRecipe {
  const data = someBytes(WIDTH * HEIGHT * channels, channels);
  return { width: WIDTH, height: HEIGHT, channels, data, rowsPerStrip: 6, ...more };
}

describe('decodeTiff', () => {
  const kinds: [string, Partial<TiffRecipe>][] = [
    ['several strips', {}],
    ['one strip', { rowsPerStrip: HEIGHT }],
    ['a last strip longer than its rows', { longLastStrip: true }],
    ['big-endian', { bigEndian: true }],
    ['directory first', { directoryFirst: true }],
    ['tiles', { tile: 16 }],
    ['LZW', { compression: 5 }],
    ['LZW with differences', { compression: 5, predictor: 2 }],
    ['LZW, long last strip', { compression: 5, longLastStrip: true }],
    ['deflate', { compression: 8 }],
    ['deflate with differences', { compression: 8, predictor: 2 }],
    ['PackBits', { compression: 32773 }],
  ];
  for (const [what, more] of kinds) {
    for (const channels of [1, 3, 4]) {
      it(`reads ${channels} channels, ${what}, as geotiff does`, async () => {
        const made = recipe(channels, more);
        const bytes = makeTiff(made);
        const read = decodeTiff(bytes, 'a.tif');
        expect(read).toEqual(await oracle(bytes));
        expect(read.data).toEqual(made.data);
      });
    }
  }

  it('reads LZW that runs through many code tables', async () => {
    const data = someBytes(200 * 200, 9);
    const bytes = makeTiff({ width: 200, height: 200, channels: 1, data, rowsPerStrip: 100, compression: 5 });
    expect(decodeTiff(bytes, 'a.tif').data).toEqual(data);
  });

  it('reads a view on part of a larger buffer', () => {
    const made = recipe(3, { compression: 8 });
    const bytes = makeTiff(made);
    const larger = new Uint8Array(bytes.length + 20).fill(9);
    larger.set(bytes, 13);
    expect(decodeTiff(larger.subarray(13, 13 + bytes.length), 'a.tif').data).toEqual(made.data);
  });

  it('turns white-is-zero over', () => {
    const made = recipe(1, { photometric: 0 });
    expect(decodeTiff(makeTiff(made), 'a.tif').data).toEqual(made.data.map((v) => 255 - v));
  });

  it('reads a strip length that means "all rows"', () => {
    const made = recipe(1, {
      rowsPerStrip: HEIGHT,
      claimRowsPerStrip: 0xffffffff,
      compression: 8,
      predictor: 2,
    });
    expect(decodeTiff(makeTiff(made), 'a.tif').data).toEqual(made.data);
  });

  const refused: [string, Uint8Array, string][] = [
    ['planar configuration 2', makeTiff(recipe(3, { planar: 2 })), 'planar configuration 2'],
    ['tiled LZW', makeTiff(recipe(3, { tile: 16, compression: 5 })), 'tiles compressed with LZW'],
    ['tiled deflate', makeTiff(recipe(1, { tile: 16, compression: 8 })), 'tiles compressed with deflate'],
    [
      '16 bits',
      makeTiff(recipe(1, { bits: 16, data: someBytes(WIDTH * HEIGHT * 2) })),
      '16-bit unsigned samples',
    ],
    [
      '32-bit floats',
      makeTiff(recipe(1, { bits: 32, sampleFormat: 3, data: someBytes(WIDTH * HEIGHT * 4) })),
      '32-bit floating-point samples',
    ],
    ['signed samples', makeTiff(recipe(1, { sampleFormat: 2 })), '8-bit signed samples'],
    ['no bit depth', makeTiff(recipe(1, { without: [258] })), '1-bit'],
    ['two channels', makeTiff(recipe(2)), '2 channels'],
    ['a palette', makeTiff(recipe(1, { photometric: 3 })), 'a colour palette'],
    ['CMYK', makeTiff(recipe(4, { photometric: 5 })), 'CMYK'],
    ['JPEG', makeTiff(recipe(3, { compression: 7 })), 'compressed with JPEG'],
    ['an unknown compression', makeTiff(recipe(1, { compression: 34925 })), 'kind 34925'],
    ['reversed bits', makeTiff(recipe(1, { tags: { 266: 2 } })), 'reverse order'],
    ['a turned picture', makeTiff(recipe(1, { tags: { 274: 6 } })), 'orientation 6'],
    ['several pages', makeTiff(recipe(1, { pages: 3 })), 'holds 3 images'],
    ['only a thumbnail', makeTiff(recipe(1, { tags: { 254: 1 } })), 'holds no image'],
    ['no width', makeTiff(recipe(1, { without: [256] })), 'width and height'],
    ['too few strips', makeTiff(recipe(1, { claimRowsPerStrip: 3 })), 'needs 10 strips'],
    ['a text file', new TextEncoder().encode('patient,age\n'), 'it starts with the text "patient,age'],
    ['a text file that starts with II', new TextEncoder().encode('II is two in Rome.'), 'not a TIFF file'],
    ['an empty file', new Uint8Array(), 'it is empty'],
    ['a BigTIFF', Uint8Array.of(0x49, 0x49, 43, 0, 8, 0, 0, 0, 16, 0, 0, 0), 'BigTIFF'],
    ['another format', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70), 'first bytes are ff d8 ff e0'],
  ];
  for (const [what, bytes, sentence] of refused) {
    it(`refuses ${what} by name`, () =>
      expectDataError(() => decodeTiff(bytes, 'x/a.tif'), 'x/a.tif: ', sentence));
  }

  it('refuses a directory that leads back to itself', async () => {
    const bytes = makeTiff(recipe(1, { directoryFirst: true }));
    const count = new DataView(bytes.buffer).getUint16(8, true);
    new DataView(bytes.buffer).setUint32(10 + count * 12, 8, true);
    await expectDataError(() => decodeTiff(bytes, 'a.tif'), 'no end');
  });

  for (const [what, more] of kinds) {
    it(`never reads a file cut short as if it were whole: ${what}`, async () => {
      const made = recipe(1, more);
      const bytes = makeTiff(made);
      for (let length = 0; length < bytes.length; length++) {
        let read: Uint8Array;
        try {
          read = decodeTiff(bytes.slice(0, length), 'a.tif').data;
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          continue;
        }
        // Bytes after the last row, and the link after the last directory, may be missing.
        expect(read, `cut at ${length}`).toEqual(made.data);
      }
      await expectDataError(
        () => decodeTiff(bytes.slice(0, bytes.length >> 1), 'a.tif'),
        'cut short',
        'a.tif',
      );
    });
  }

  it('refuses strips that unpack to too little, or are damaged', async () => {
    for (const compression of [5, 8, 32773]) {
      const whole = makeTiff(recipe(1, { compression, height: HEIGHT, rowsPerStrip: HEIGHT }));
      const short = makeTiff(recipe(1, { compression, height: 20, rowsPerStrip: 20, tags: {} }));
      expect(decodeTiff(whole, 'a.tif').height).toBe(HEIGHT);
      // The height said, the rows of a lower picture packed.
      const view = new DataView(short.buffer);
      const directory = view.getUint32(4, true);
      for (let i = 0; i < view.getUint16(directory, true); i++) {
        const at = directory + 2 + 12 * i;
        const tag = view.getUint16(at, true);
        if (tag === 257) view.setUint16(at + 8, HEIGHT, true);
        if (tag === 278) view.setUint32(at + 8, HEIGHT, true);
      }
      await expectDataError(() => decodeTiff(short, 'a.tif'), 'damaged', 'strip 1 of 1');
    }
    const small = recipe(1, { rowsPerStrip: HEIGHT });
    const oneLess = makeTiff({ ...small, data: small.data.slice(0, -1) });
    await expectDataError(
      () => decodeTiff(oneLess, 'a.tif'),
      `holds ${WIDTH * HEIGHT - 1} bytes where its rows need ${WIDTH * HEIGHT}`,
    );
    const noEnd = makeTiff(recipe(1, { compression: 5 }));
    noEnd.fill(255, 8, 60);
    await expectDataError(() => decodeTiff(noEnd, 'a.tif'), 'strip 1 of 5 is damaged');
  });
});

describe('unpackedLength', () => {
  /** 9-bit codes, from the high bit down. */
  const codes = (...list: number[]) => {
    const bits = list.map((code) => code.toString(2).padStart(9, '0')).join('');
    return Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  };

  it('follows LZW codes, and refuses one that stands for nothing yet', () => {
    expect(unpackedLength(codes(256, 65, 66, 258, 260, 257), Compression.LZW)).toBe(1 + 1 + 2 + 3);
    expect(unpackedLength(codes(256, 65, 259, 257), Compression.LZW)).toBe(-1);
    expect(unpackedLength(codes(256, 300, 257), Compression.LZW)).toBe(-1);
    expect(unpackedLength(codes(256, 65, 66), Compression.LZW)).toBe(-1);
  });

  it('agrees with what was packed, byte for byte', () => {
    for (const length of [1, 2, 253, 254, 255, 5000, 20_000]) {
      expect(unpackedLength(lzw(someBytes(length)), Compression.LZW)).toBe(length);
    }
  });

  it('comes to an end on any bytes, and so does the reader', () => {
    for (let seed = 0; seed < 300; seed++) {
      const bytes = makeTiff(recipe(1, { compression: [5, 8, 32773][seed % 3] as number }));
      bytes.set(someBytes(200, seed), 8);
      try {
        decodeTiff(bytes, 'a.tif');
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

describe('encodeTiff', () => {
  for (const [width, height] of [
    [256, 256],
    [1, 1],
    [3, 1000],
    [301, 77],
  ] as const) {
    for (const channels of [1, 3] as const) {
      it(`writes ${width}x${height}x${channels} so that both readers read it back`, async () => {
        const image = { width, height, channels, data: someBytes(width * height * channels) };
        const bytes = encodeTiff(image);
        expect(decodeTiff(bytes, 'a.tif')).toEqual(image);
        expect(await oracle(bytes)).toEqual(image);
      });
    }
  }

  it('refuses data that do not fill the picture, and alpha', async () => {
    await expectDataError(
      () => encodeTiff({ width: 2, height: 2, channels: 1, data: new Uint8Array(3) }),
      '3 bytes',
    );
    await expectDataError(
      () => encodeTiff({ width: 1, height: 1, channels: 4, data: new Uint8Array(4) }),
      'alpha',
    );
  });
});

describe.skipIf(realZip === undefined)('the real slices', () => {
  it('are read as geotiff reads them, every one', async () => {
    const source = await openSource(realZip as string);
    let compared = 0;
    for (const { path } of await source.list()) {
      if (!path.startsWith('kaggle_3m/') || !path.endsWith('.tif')) continue;
      const bytes = await source.read(path);
      const read = decodeTiff(bytes, path);
      const other = await oracle(bytes);
      // Far quicker over a whole set than toEqual.
      const same = Buffer.compare(read.data, other.data) === 0 && read.width === other.width;
      expect(same && read.channels === other.channels, path).toBe(true);
      compared++;
    }
    await source.close();
    expect(compared).toBe(2 * 1789);
  }, 300_000);
});
