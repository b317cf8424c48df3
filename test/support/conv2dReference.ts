/** Convolution and its gradients in float64, by the definition. */
import type { Conv2dProblem } from '../../src/engine/kernels/conv2d.js';

/** Calls `visit` for every product that the convolution sums: flat indices into y, x and weight (all contiguous). */
function forEachProduct(p: Conv2dProblem, visit: (y: number, x: number, weight: number) => void): void {
  const cg = p.c / p.groups;
  const kg = p.k / p.groups;
  for (let n = 0; n < p.n; n++) {
    for (let k = 0; k < p.k; k++) {
      const firstChannel = Math.floor(k / kg) * cg;
      for (let c = 0; c < cg; c++) {
        for (let r = 0; r < p.kh; r++) {
          for (let s = 0; s < p.kw; s++) {
            const weight = ((k * cg + c) * p.kh + r) * p.kw + s;
            for (let oh = 0; oh < p.oh; oh++) {
              const h = oh * p.sh - p.ph + r * p.dh;
              if (h < 0 || h >= p.h) continue;
              const xRow = ((n * p.c + firstChannel + c) * p.h + h) * p.w;
              const yRow = ((n * p.k + k) * p.oh + oh) * p.ow;
              for (let ow = 0; ow < p.ow; ow++) {
                const w = ow * p.sw - p.pw + s * p.dw;
                if (w >= 0 && w < p.w) visit(yRow + ow, xRow + w, weight);
              }
            }
          }
        }
      }
    }
  }
}

type Values = Float32Array | Float64Array;

export function referenceForward(p: Conv2dProblem, x: Values, weight: Values): Float64Array {
  const out = new Float64Array(p.n * p.k * p.oh * p.ow);
  forEachProduct(p, (yi, xi, wi) => {
    out[yi] = (out[yi] as number) + (x[xi] as number) * (weight[wi] as number);
  });
  return out;
}

export function referenceInputGrad(p: Conv2dProblem, gy: Values, weight: Values): Float64Array {
  const out = new Float64Array(p.n * p.c * p.h * p.w);
  forEachProduct(p, (yi, xi, wi) => {
    out[xi] = (out[xi] as number) + (gy[yi] as number) * (weight[wi] as number);
  });
  return out;
}

export function referenceWeightGrad(p: Conv2dProblem, x: Values, gy: Values): Float64Array {
  const out = new Float64Array((p.k * p.c * p.kh * p.kw) / p.groups);
  forEachProduct(p, (yi, xi, wi) => {
    out[wi] = (out[wi] as number) + (gy[yi] as number) * (x[xi] as number);
  });
  return out;
}

/** Norm of the difference over norm of the reference; NaN anywhere makes it NaN. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] as number;
    difference += ((got[i] as number) - e) ** 2;
    norm += e * e;
  }
  return Math.sqrt(difference) / (Math.sqrt(norm) || 1);
}

/** Random numbers in [-1, 1) from a seed. */
export function randomValues(count: number, seed: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = (state >>> 8) / 2 ** 23 - 1;
  }
  return out;
}
