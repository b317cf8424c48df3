import { encodePng } from '../data/png.js';
import { drawText, GLYPH_HEIGHT, textWidth } from './font.js';

/** Red, green, blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

export const BLACK: Color = [0, 0, 0];
export const WHITE: Color = [255, 255, 255];

/** An RGB picture to draw on, [height, width, 3]. What falls outside is left out. */
export class Picture {
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    background: Color = BLACK,
  ) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new Error(`A picture cannot be ${width} x ${height} pixels.`);
    }
    this.data = new Uint8Array(width * height * 3);
    if (background.some((value) => value !== 0)) this.fill(0, 0, width, height, background);
  }

  /** A picture of interleaved RGB samples (used, not copied). */
  static rgb(width: number, height: number, data: Uint8Array): Picture {
    const picture = Object.create(Picture.prototype, {
      width: { value: width },
      height: { value: height },
      data: { value: data },
    }) as Picture;
    if (data.length !== width * height * 3) {
      throw new Error(`${data.length} samples do not fill an RGB picture of ${width} x ${height} pixels.`);
    }
    return picture;
  }

  /** A picture of one channel: 0 black, 255 white. */
  static gray(width: number, height: number, values: ArrayLike<number>): Picture {
    if (values.length !== width * height) {
      throw new Error(`${values.length} values do not fill a picture of ${width} x ${height} pixels.`);
    }
    const picture = new Picture(width, height);
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = values[Math.floor(i / 3)] as number;
    return picture;
  }

  set(x: number, y: number, color: Color): void {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.data.set(color, (y * this.width + x) * 3);
  }

  /** The pixel's color. */
  get(x: number, y: number): Color {
    const at = (y * this.width + x) * 3;
    return [this.data[at] as number, this.data[at + 1] as number, this.data[at + 2] as number];
  }

  fill(x: number, y: number, width: number, height: number, color: Color): void {
    for (let row = y; row < y + height; row++)
      for (let at = x; at < x + width; at++) this.set(at, row, color);
  }

  /** Puts another picture with its upper left corner at (x, y). */
  paste(other: Picture, x: number, y: number): void {
    const left = Math.max(0, -x);
    const right = Math.min(other.width, this.width - x);
    if (right <= left) return;
    for (let row = Math.max(0, -y); row < other.height && y + row < this.height; row++) {
      const from = row * other.width;
      this.data.set(
        other.data.subarray((from + left) * 3, (from + right) * 3),
        ((y + row) * this.width + x + left) * 3,
      );
    }
  }

  /** Writes one line, its upper left corner at (x, y). @param scale pixels of the picture for one of the font */
  text(text: string, x: number, y: number, color: Color = WHITE, scale = 1): void {
    drawText(text, (dx, dy) => this.fill(x + dx * scale, y + dy * scale, scale, scale, color));
  }

  /** The picture `scale` times as large (a whole number), interpolated linearly between pixel centres. */
  enlarge(scale: number): Picture {
    if (scale === 1) return this;
    const { width, height, data } = this;
    const large = new Picture(width * scale, height * scale);
    const columns = centres(width, scale);
    const rows = centres(height, scale);
    // First along x into rows of full width, then along y.
    const stride = large.width * 3;
    const wide = new Float32Array(height * stride);
    for (let y = 0; y < height; y++) {
      columns.forEach(({ low, high, part }, x) => {
        for (let c = 0; c < 3; c++) {
          const from = data[(y * width + low) * 3 + c] as number;
          const to = data[(y * width + high) * 3 + c] as number;
          wide[y * stride + x * 3 + c] = mix(from, to, part);
        }
      });
    }
    rows.forEach(({ low, high, part }, y) => {
      for (let i = 0; i < stride; i++) {
        const from = wide[low * stride + i] as number;
        const to = wide[high * stride + i] as number;
        large.data[y * stride + i] = Math.round(mix(from, to, part));
      }
    });
    return large;
  }

  /** The bytes of a PNG file. */
  png(): Uint8Array {
    return encodePng({ width: this.width, height: this.height, channels: 3, data: this.data });
  }
}

/** Pictures in a grid. */
export interface GridOptions {
  readonly columns: number;
  /** Pixels between cells and around them. */
  readonly gap?: number;
  readonly background?: Color;
  /** Pixels of the picture for one of the font. */
  readonly textScale?: number;
}

/** A cell of a grid: a picture, and lines below it. */
export interface Cell {
  readonly picture: Picture;
  readonly caption?: readonly string[];
}

/** Lays pictures out in rows, each cell as large as the largest; captions are centred below and cut where too long. */
export function grid(cells: readonly Cell[], options: GridOptions): Picture {
  const { columns, gap = 4, background = BLACK, textScale = 1 } = options;
  if (cells.length === 0) throw new Error('A sheet needs at least one picture.');
  const width = Math.max(...cells.map(({ picture }) => picture.width));
  const height = Math.max(...cells.map(({ picture }) => picture.height));
  const lineHeight = (GLYPH_HEIGHT + 2) * textScale;
  const lines = Math.max(...cells.map(({ caption }) => caption?.length ?? 0));
  const cellHeight = height + (lines > 0 ? 3 * textScale + lines * lineHeight : 0);
  const rows = Math.ceil(cells.length / columns);
  const across = Math.min(columns, cells.length);
  const sheet = new Picture(gap + across * (width + gap), gap + rows * (cellHeight + gap), background);
  cells.forEach(({ picture, caption = [] }, index) => {
    const x = gap + (index % columns) * (width + gap);
    const y = gap + Math.floor(index / columns) * (cellHeight + gap);
    sheet.paste(picture, x + Math.floor((width - picture.width) / 2), y);
    caption.forEach((line, row) => {
      const shown = shorten(line, width, textScale);
      const left = Math.floor((width - textWidth(shown) * textScale) / 2);
      sheet.text(
        shown,
        x + left,
        y + height + 3 * textScale + row * lineHeight,
        textColor(background),
        textScale,
      );
    });
  });
  return sheet;
}

function shorten(text: string, width: number, scale: number): string {
  let shown = text;
  while (shown.length > 1 && textWidth(shown) * scale > width) shown = shown.slice(0, -1);
  return shown;
}

function textColor([red, green, blue]: Color): Color {
  return red + green + blue > 382 ? BLACK : [230, 230, 230];
}

/** For each pixel of an enlarged side the two it lies between, and how far it is from the first to the second. */
function centres(size: number, scale: number): { low: number; high: number; part: number }[] {
  return Array.from({ length: size * scale }, (_, at) => {
    const source = Math.min(size - 1, Math.max(0, (at + 0.5) / scale - 0.5));
    const low = Math.floor(source);
    return { low, high: Math.min(size - 1, low + 1), part: source - low };
  });
}

function mix(a: number, b: number, part: number): number {
  return a + (b - a) * part;
}
