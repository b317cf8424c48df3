/** A convolution or its input gradient as matrix products for gemm.wgsl: which element of which tensor each factor is. */
import type { Conv2dProblem } from './conv2dProblem.js';

/**
 * out[m, p] = sum over r of a[m, r] * in[r, p], with r = (channel of the input, tap) and m = (channel of the output,
 * spread). Numbers as gemm_input.wgsl, gemm_output.wgsl and gemm_pack.wgsl explain them.
 */
export interface GemmProduct {
  readonly n: number;
  readonly input: { readonly c: number; readonly h: number; readonly w: number };
  readonly output: { readonly c: number; readonly h: number; readonly w: number };
  /** Pixels that are computed, of each image. */
  readonly grid: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Where the first tap of the first pixel falls; negative within the padding. */
  readonly origin: readonly [number, number];
  /** Output pixels from one of the grid to the next, and the first. */
  readonly step: readonly [number, number];
  readonly first: readonly [number, number];
  /** Output pixels that each pixel of the grid becomes. */
  readonly spread: readonly [number, number];
  /** Elements of the weight from one m, channel, row of taps and column of taps to the next; `first` is the first tap. */
  readonly weight: {
    readonly m: number;
    readonly c: number;
    readonly first: number;
    readonly tap: readonly [number, number];
  };
}

export function rowsOf(p: GemmProduct): number {
  return p.output.c * p.spread[0] * p.spread[1];
}

export function pixelsOf(p: GemmProduct): number {
  return p.n * p.grid[0] * p.grid[1];
}

export function tapsOf(p: GemmProduct): number {
  return p.taps[0] * p.taps[1];
}

export function forwardProduct(p: Conv2dProblem): GemmProduct {
  return {
    n: p.n,
    input: { c: p.c, h: p.h, w: p.w },
    output: { c: p.k, h: p.oh, w: p.ow },
    grid: [p.oh, p.ow],
    taps: [p.kh, p.kw],
    stride: [p.sh, p.sw],
    dilation: [p.dh, p.dw],
    origin: [-p.ph, -p.pw],
    step: [1, 1],
    first: [0, 0],
    spread: [1, 1],
    weight: { m: p.c * p.kh * p.kw, c: p.kh * p.kw, first: 0, tap: [p.kw, 1] },
  };
}

/** Each input pixel is read by exactly one tap: one product makes all of them, the tap being part of m. */
function isTiled(p: Conv2dProblem): boolean {
  const exact = p.kh === p.sh && p.kw === p.sw && p.h === p.oh * p.sh && p.w === p.ow * p.sw;
  return exact && p.ph === 0 && p.pw === 0 && (p.kh === 1 || p.dh === 1) && (p.kw === 1 || p.dw === 1);
}

/** One axis of one residue class of a strided convolution turned round: `pixels` of them, from `at`, `stride` apart. */
interface AxisClass {
  readonly at: number;
  readonly pixels: number;
  /** Taps that reach this class; `last` is the tap with the highest number, `every` the distance between them. */
  readonly taps: number;
  readonly last: number;
  readonly every: number;
  readonly dilation: number;
  readonly origin: number;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function axisClasses(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
): AxisClass[] {
  const common = gcd(stride, dilation);
  const every = stride / common;
  const classes: AxisClass[] = [];
  for (let at = 0; at < Math.min(stride, size); at++) {
    const pixels = Math.ceil((size - at) / stride);
    // Output o reads input i through tap t where o * stride = i + padding - t * dilation.
    let first = 0;
    while (first < Math.min(every, kernel) && (at + padding - first * dilation) % stride !== 0) first++;
    const taps = first < Math.min(every, kernel) ? Math.floor((kernel - 1 - first) / every) + 1 : 0;
    const last = first + (taps - 1) * every;
    const origin = taps > 0 ? (at + padding - last * dilation) / stride : 0;
    classes.push({ at, pixels, taps, last, every, dilation: dilation / common, origin });
  }
  return classes;
}

/** As many products as there are residue classes of the stride: one where it is 1 or the filter tiles the image. */
export function inputGradProducts(p: Conv2dProblem): GemmProduct[] {
  const taps = p.kh * p.kw;
  const common = {
    n: p.n,
    input: { c: p.k, h: p.oh, w: p.ow },
    output: { c: p.c, h: p.h, w: p.w },
    stride: [1, 1] as const,
  };
  if (isTiled(p)) {
    return [
      {
        ...common,
        grid: [p.oh, p.ow],
        taps: [1, 1],
        dilation: [1, 1],
        origin: [0, 0],
        step: [p.sh, p.sw],
        first: [0, 0],
        spread: [p.kh, p.kw],
        weight: { m: 1, c: p.c * taps, first: 0, tap: [0, 0] },
      },
    ];
  }
  const products: GemmProduct[] = [];
  for (const y of axisClasses(p.h, p.kh, p.sh, p.ph, p.dh)) {
    for (const x of axisClasses(p.w, p.kw, p.sw, p.pw, p.dw)) {
      const none = y.taps === 0 || x.taps === 0;
      products.push({
        ...common,
        // A class that no tap reaches is a product of no rows: its pixels are the epilogue of 0.
        input: { ...common.input, c: none ? 0 : p.k },
        grid: [y.pixels, x.pixels],
        taps: none ? [1, 1] : [y.taps, x.taps],
        dilation: [y.dilation, x.dilation],
        origin: [y.origin, x.origin],
        step: [p.sh, p.sw],
        first: [y.at, x.at],
        spread: [1, 1],
        weight: {
          m: taps,
          c: p.c * taps,
          first: none ? 0 : y.last * p.kw + x.last,
          tap: [-y.every * p.kw, -x.every],
        },
      });
    }
  }
  return products;
}
