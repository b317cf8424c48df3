import { describe, expect, it } from 'vitest';
import { ADVANCE, drawText, GLYPH_HEIGHT, GLYPH_WIDTH, textWidth } from '../../src/cli/font.js';
import { flair, outline, overlay, PREDICTION, TRUTH } from '../../src/cli/overlay.js';
import { grid, Picture, WHITE } from '../../src/cli/picture.js';
import { augmentationSheet, contactSheet, evaluationSheet } from '../../src/cli/sheets.js';
import { decodePng } from '../../src/data/png.js';

/** Rows of characters to a mask: # is 1. */
function mask(...rows: string[]): Uint8Array {
  return Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0));
}

function rows(values: ArrayLike<number>, width: number): string[] {
  const text = Array.from(values, (value) => (value ? '#' : '.')).join('');
  return text.match(new RegExp(`.{${width}}`, 'g')) ?? [];
}

function count(picture: Picture, color: readonly number[]): number {
  let found = 0;
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) if (String(picture.get(x, y)) === String(color)) found++;
  }
  return found;
}

describe('outline', () => {
  it('is the inner border, closed at the edge, with holes outlined too', () => {
    const lesion = mask('......', '.#####', '.#####', '.##.##', '.#####', '.#####');
    expect(rows(outline(lesion, 6, 6), 6)).toEqual([
      '......',
      '.#####',
      '.#.#.#',
      '.##.##',
      '.#.#.#',
      '.#####',
    ]);
  });

  it('keeps a single pixel, and nothing from nothing', () => {
    expect(rows(outline(mask('...', '.#.', '...'), 3, 3), 3)).toEqual(['...', '.#.', '...']);
    expect(outline(new Uint8Array(9), 3, 3)).toEqual(new Uint8Array(9));
  });

  it('is as wide as told when enlarged, and never outside the mask', () => {
    const square = mask('....', '.##.', '.##.', '....');
    expect(rows(outline(square, 4, 4, 3, 1), 12).slice(3, 9)).toEqual([
      '...######...',
      '...#....#...',
      '...#....#...',
      '...#....#...',
      '...#....#...',
      '...######...',
    ]);
    expect(rows(outline(square, 4, 4, 3, 2), 12)[5]).toBe('...##..##...');
  });

  it('refuses a mask of another size', () => {
    expect(() => outline(new Uint8Array(5), 2, 2)).toThrow(/5 pixels.*2 x 2/);
  });
});

describe('overlay', () => {
  const size = { width: 16, height: 16 };
  const image = Uint8Array.from({ length: 256 * 3 }, (_, i) => (i % 3 === 1 ? 40 + (i % 7) : 200));
  const block = (x: number, y: number, side: number) =>
    Uint8Array.from({ length: 256 }, (_, i) => {
      const inside =
        i % 16 >= x && i % 16 < x + side && Math.floor(i / 16) >= y && Math.floor(i / 16) < y + side;
      return inside ? 255 : 0;
    });

  it('shows FLAIR gray, prediction red, truth green', () => {
    const picture = overlay(
      { ...size, image, prediction: block(2, 2, 4), truth: block(9, 9, 4) },
      { stretch: false },
    );
    expect(picture.get(0, 0)).toEqual([41, 41, 41]);
    expect(picture.get(2, 2)).toEqual(PREDICTION);
    expect(picture.get(3, 3)[0]).toBeLessThan(60);
    expect(picture.get(12, 12)).toEqual(TRUTH);
    expect(count(picture, PREDICTION)).toBe(12);
    expect(count(picture, TRUTH)).toBe(12);
  });

  it('shows both colors on every side where the outlines are the same', () => {
    const same = block(2, 2, 12);
    const picture = overlay({ ...size, image, prediction: same, truth: same }, { scale: 3 });
    const side = (pixel: (i: number) => readonly number[]) =>
      new Set(Array.from({ length: 36 }, (_, i) => String(pixel(6 + i))));
    for (const each of [
      side((i) => picture.get(i, 6)),
      side((i) => picture.get(i, 41)),
      side((i) => picture.get(6, i)),
      side((i) => picture.get(41, i)),
    ]) {
      expect([...each].sort()).toEqual([String(PREDICTION), String(TRUTH)].sort());
    }
  });

  it('spreads a dark slice from black to white, and leaves an even one alone', () => {
    const dark = Uint8Array.from({ length: 256 }, (_, i) => 10 + (i % 16));
    const picture = overlay({ ...size, image: dark });
    expect([picture.get(0, 0)[0], picture.get(15, 0)[0]]).toEqual([0, 255]);
    expect(overlay({ ...size, image: new Uint8Array(256).fill(7) }).get(3, 3)).toEqual([7, 7, 7]);
  });

  it('refuses samples that do not fill the slice', () => {
    expect(() => flair({ image: new Uint8Array(10), width: 2, height: 2 })).toThrow(/10 samples.*2 x 2/);
  });
});

describe('Picture', () => {
  it('enlarges with pixel centres in place', () => {
    const large = Picture.gray(2, 1, [0, 100]).enlarge(2);
    expect([0, 1, 2, 3].map((x) => large.get(x, 0)[0])).toEqual([0, 25, 75, 100]);
    expect(large.height).toBe(2);
  });

  it('draws text where it is told, cut at the edge', () => {
    const picture = new Picture(12, 9);
    picture.text('I1', 0, 1, WHITE);
    expect(
      rows(
        Array.from({ length: 108 }, (_, i) => picture.get(i % 12, Math.floor(i / 12))[0]),
        12,
      ),
    ).toEqual([
      '............',
      '.###....#...',
      '..#....##...',
      '..#.....#...',
      '..#.....#...',
      '..#.....#...',
      '..#.....#...',
      '.###...###..',
      '............',
    ]);
    picture.text('WWWW', 8, 5);
    expect(() => picture.paste(new Picture(30, 30, WHITE), -5, -5)).not.toThrow();
    expect(count(picture, WHITE)).toBe(108);
  });

  it('survives a PNG file', () => {
    const picture = new Picture(3, 2, [1, 2, 3]);
    picture.set(2, 1, PREDICTION);
    expect(decodePng(picture.png(), 'a.png')).toMatchObject({
      width: 3,
      height: 2,
      channels: 3,
      data: picture.data,
    });
  });

  it('refuses sizes and samples that make no picture', () => {
    expect(() => new Picture(0, 3)).toThrow('0 x 3');
    expect(() => Picture.rgb(2, 2, new Uint8Array(4))).toThrow('4 samples');
    expect(() => Picture.gray(2, 2, [1])).toThrow('1 values');
  });
});

describe('the font', () => {
  it('has a different glyph of legal size for every printable letter and digit', () => {
    const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:-_/%+=()';
    const drawn = new Map<string, string>();
    for (const letter of all) {
      const dots: string[] = [];
      drawText(letter, (x, y) => {
        expect(x).toBeLessThan(GLYPH_WIDTH);
        expect(y).toBeLessThan(GLYPH_HEIGHT);
        dots.push(`${x},${y}`);
      });
      const shape = dots.join(' ');
      expect(drawn.get(shape), `${letter} looks like another`).toBeUndefined();
      drawn.set(shape, letter);
    }
    expect(textWidth('')).toBe(0);
    expect(textWidth('ab')).toBe(ADVANCE + GLYPH_WIDTH);
  });
});

describe('sheets', () => {
  const slice = (value: number) => ({
    width: 64,
    height: 48,
    image: new Uint8Array(64 * 48 * 3).fill(value),
    truth: new Uint8Array(64 * 48).fill(255, 0, 64),
    prediction: new Float32Array(64 * 48).fill(0.2),
    bce: 0.25,
    dice: 0.5,
  });

  it('puts scan, truth and prediction below each other, a column a slice', () => {
    const sheet = evaluationSheet(Array.from({ length: 8 }, (_, i) => slice(10 * i)));
    // Three times as large, so that the figures below are whole.
    const [width, height] = [3 * 64 + 4, 3 * 48 + 4];
    expect(sheet.width).toBe(4 + 8 * width);
    for (let i = 0; i < 8; i++) {
      const x = 4 + i * width + 180;
      expect(sheet.get(x, 4 + 120)).toEqual([10 * i, 10 * i, 10 * i]);
      expect(sheet.get(x, 4 + height)).toEqual(WHITE);
      expect(sheet.get(x, 4 + height + 120)).toEqual([0, 0, 0]);
      expect(sheet.get(x, 4 + 2 * height + 120)).toEqual([51, 51, 51]);
    }
  });

  it('leaves slices that are wide enough at their size, and makes room below small ones', () => {
    const large = {
      ...slice(7),
      width: 256,
      height: 8,
      image: new Uint8Array(256 * 8 * 3),
      truth: new Uint8Array(256 * 8),
      prediction: new Float32Array(256 * 8),
    };
    expect(evaluationSheet([{ ...large, name: 'TCGA_DU_5849_19950405 17' }]).width).toBe(264);
    const name = 'TCGA_DU_5849_19950405 17';
    expect(evaluationSheet([{ ...slice(7), name }]).width - 8).toBeGreaterThanOrEqual(textWidth(name));
    const shown = contactSheet([{ ...slice(7), prediction: undefined, caption: [name] }], 1, 2);
    expect(shown.width - 8).toBeGreaterThanOrEqual(textWidth(name));
  });

  it('lays 24 augmentations out in four rows of six', () => {
    const one = { ...slice(9), prediction: undefined, scale: 1.1, angle: -12, flip: true };
    const sheet = augmentationSheet(Array.from({ length: 24 }, () => one));
    expect(sheet.width).toBe(4 + 6 * (128 + 4));
    expect(sheet.height).toBe(4 + 4 * (96 + 3 + 11 + 4));
    // Twice as large, and the outline as thick.
    expect(count(sheet, TRUTH)).toBe(24 * 128 * 2);
  });

  it('cuts a caption that is too long, and refuses an empty sheet', () => {
    const sheet = contactSheet([
      { ...slice(0), prediction: undefined, truth: undefined, caption: ['W'.repeat(99)] },
    ]);
    expect(sheet.width).toBe(8 + 8 * 64);
    expect(count(sheet, [230, 230, 230])).toBeGreaterThan(50);
    expect(() => grid([], { columns: 3 })).toThrow('at least one');
  });
});
