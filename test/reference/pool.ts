import { type Array64, at, zeros } from './array.js';
import { input, type Pair, pair, type ReferenceOp } from './op.js';

export interface MaxPoolOptions {
  readonly kernelSize: Pair;
  /** The kernel size when left out. */
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly ceilMode?: boolean;
}

function windows(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceil: boolean,
): number {
  const steps = (size + 2 * padding - dilation * (kernel - 1) - 1) / stride;
  const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window of ceil mode that would start in the right padding is dropped.
  return ceil && (count - 1) * stride >= size + padding ? count - 1 : count;
}

/** The flat index of the winner of each window: the first of equal maxima, row by row. */
function winners(x: Array64, options: MaxPoolOptions): { shape: number[]; index: Int32Array } {
  const [kh, kw] = pair(options.kernelSize, 1);
  const [sh, sw] = pair(options.stride, options.kernelSize);
  const [ph, pw] = pair(options.padding, 0);
  const [dh, dw] = pair(options.dilation, 1);
  const [n, c, h, w] = x.shape as unknown as readonly [number, number, number, number];
  const oh = windows(h, kh, sh, ph, dh, options.ceilMode ?? false);
  const ow = windows(w, kw, sw, pw, dw, options.ceilMode ?? false);
  const index = new Int32Array(n * c * oh * ow);
  let o = 0;
  for (let plane = 0; plane < n * c; plane++) {
    for (let p = 0; p < oh; p++) {
      for (let q = 0; q < ow; q++) {
        let best = -1;
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const row = p * sh - ph + i * dh;
            const column = q * sw - pw + j * dw;
            if (row < 0 || row >= h || column < 0 || column >= w) continue;
            const here = (plane * h + row) * w + column;
            if (best < 0 || at(x, here) > at(x, best)) best = here;
          }
        }
        index[o++] = best;
      }
    }
  }
  return { shape: [n, c, oh, ow], index };
}

/** inputs: x [N, C, H, W]. */
export const maxPool2d: ReferenceOp<MaxPoolOptions> = {
  forward(inputs, options) {
    const x = input(inputs, 0);
    const { shape, index } = winners(x, options);
    return { shape, data: Float64Array.from(index, (i) => at(x, i)) };
  },
  vjp(inputs, options, g) {
    const x = input(inputs, 0);
    const gx = zeros(x.shape);
    winners(x, options).index.forEach((i, o) => {
      gx.data[i] = at(gx, i) + at(g, o);
    });
    return [gx];
  },
};
