/** Pictures of a slice: the scan, a mask as outline or fill, probabilities as colour. */

export type Look = 'outline' | 'fill' | 'probability';

/** As in the command line's pictures: prediction red, truth green. Truth is dashed too, for who cannot tell them apart. */
const PREDICTION = [255, 80, 70] as const;
const TRUTH = '#4be07a';

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
  readonly look: Look;
  /** 0 to 1, of the prediction. */
  readonly opacity: number;
  /** Null: not drawn. */
  readonly mask: Uint8Array | null;
  readonly probability: Float32Array | null;
  readonly truth: Uint8Array | null;
}

/** Draws a slice as large as the canvas allows, in its middle. Sizes are device pixels. */
export function drawScene(canvas: HTMLCanvasElement, scene: Scene): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { width, height } = scene;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const left = Math.round((canvas.width - scale * width) / 2);
  const top = Math.round((canvas.height - scale * height) / 2);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture(scene, grayPixels(scene.gray)), left, top, scale * width, scale * height);
  const { mask, probability, truth, look, opacity } = scene;
  if (look === 'probability' && probability) {
    context.drawImage(
      picture(scene, probabilityPixels(probability, opacity)),
      left,
      top,
      scale * width,
      scale * height,
    );
  }
  if (look === 'fill' && mask) {
    context.imageSmoothingEnabled = false;
    context.drawImage(picture(scene, maskPixels(mask, opacity)), left, top, scale * width, scale * height);
  }
  context.setTransform(scale, 0, 0, scale, left, top);
  const line = Math.max(1.5, canvas.width / 360) / scale;
  context.lineCap = 'square';
  if (look === 'outline' && mask) {
    context.globalAlpha = opacity;
    context.strokeStyle = `rgb(${PREDICTION.join(' ')})`;
    context.lineWidth = line;
    context.stroke(edges(mask, width, height));
    context.globalAlpha = 1;
  }
  if (truth) {
    context.strokeStyle = TRUTH;
    context.lineWidth = line;
    context.lineCap = 'butt';
    context.setLineDash([3 * line, 2 * line]);
    context.stroke(edges(truth, width, height));
    context.setLineDash([]);
  }
}

/** The borders between the mask's pixels and the others, along the pixels' edges. */
export function edges(mask: Uint8Array, width: number, height: number): Path2D {
  const path = new Path2D();
  for (const [x0, y0, x1, y1] of edgeLines(mask, width, height)) {
    path.moveTo(x0, y0);
    path.lineTo(x1, y1);
  }
  return path;
}

type Line = readonly [x0: number, y0: number, x1: number, y1: number];

/** The lines of {@link edges}: straight runs, horizontal ones first. */
export function edgeLines(mask: Uint8Array, width: number, height: number): Line[] {
  const inside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] !== 0;
  const lines: Line[] = [];
  for (let y = 0; y <= height; y++) {
    let begin = -1;
    for (let x = 0; x <= width; x++) {
      const border = x < width && inside(x, y) !== inside(x, y - 1);
      if (border && begin < 0) begin = x;
      if (!border && begin >= 0) {
        lines.push([begin, y, x, y]);
        begin = -1;
      }
    }
  }
  for (let x = 0; x <= width; x++) {
    let begin = -1;
    for (let y = 0; y <= height; y++) {
      const border = y < height && inside(x, y) !== inside(x - 1, y);
      if (border && begin < 0) begin = y;
      if (!border && begin >= 0) {
        lines.push([x, begin, x, y]);
        begin = -1;
      }
    }
  }
  return lines;
}

function picture(
  { width, height }: Pick<Scene, 'width' | 'height'>,
  pixels: Uint8ClampedArray<ArrayBuffer>,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

/** Gray values spread over black to white. */
function grayPixels(gray: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  let low = 255;
  let high = 0;
  for (const value of gray) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const stretch = 255 / Math.max(1, high - low);
  const pixels = new Uint8ClampedArray(4 * gray.length);
  gray.forEach((value, i) => {
    pixels.fill((value - low) * stretch, 4 * i, 4 * i + 3);
    pixels[4 * i + 3] = 255;
  });
  return pixels;
}

function maskPixels(mask: Uint8Array, opacity: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * mask.length);
  mask.forEach((value, i) => {
    if (value !== 0) pixels.set([...PREDICTION, 255 * opacity], 4 * i);
  });
  return pixels;
}

/** From clear over violet and red to yellow. */
function probabilityPixels(probability: Float32Array, opacity: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * probability.length);
  probability.forEach((p, i) => {
    pixels.set(probabilityColor(p, opacity), 4 * i);
  });
  return pixels;
}

const STOPS = [
  [70, 40, 160],
  [200, 50, 120],
  [250, 120, 50],
  [255, 230, 90],
] as const;

/** The colour of a probability, with its alpha, 0 to 255 each. */
export function probabilityColor(p: number, opacity: number): [number, number, number, number] {
  const at = Math.min(2.9999, 3 * Math.min(1, Math.max(0, p)));
  const low = STOPS[Math.floor(at)] ?? STOPS[0];
  const high = STOPS[Math.floor(at) + 1] ?? STOPS[3];
  const share = at - Math.floor(at);
  const mix = (c: 0 | 1 | 2) => low[c] * (1 - share) + high[c] * share;
  return [mix(0), mix(1), mix(2), 255 * opacity * Math.min(1, 2 * p)];
}
