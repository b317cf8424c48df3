/** A convolution and its gradients in float64, one element at a time, so that of a large layer a sample can be checked. */
import type { Conv2dProblem } from '../../src/engine/kernels/conv2d.js';
import type { Expected } from './problem.js';

/** y [n, k, oh, ow] of x [n, c, h, w] and weight [k, c, kh, kw]. Problems in one group only. */
export function expectedForward(p: Conv2dProblem, x: Float32Array, weight: Float32Array): Expected {
  return {
    shape: [p.n, p.k, p.oh, p.ow],
    cost: p.c * p.kh * p.kw,
    at(index) {
      const ow = index % p.ow;
      const oh = Math.floor(index / p.ow) % p.oh;
      const k = Math.floor(index / (p.ow * p.oh)) % p.k;
      const n = Math.floor(index / (p.ow * p.oh * p.k));
      let sum = 0;
      for (let c = 0; c < p.c; c++) {
        for (let r = 0; r < p.kh; r++) {
          const h = oh * p.sh - p.ph + r * p.dh;
          if (h < 0 || h >= p.h) continue;
          const row = ((n * p.c + c) * p.h + h) * p.w;
          const taps = ((k * p.c + c) * p.kh + r) * p.kw;
          for (let s = 0; s < p.kw; s++) {
            const w = ow * p.sw - p.pw + s * p.dw;
            if (w >= 0 && w < p.w) sum += (x[row + w] as number) * (weight[taps + s] as number);
          }
        }
      }
      return sum;
    },
  };
}

/** gx [n, c, h, w] of gy [n, k, oh, ow] and weight. */
export function expectedInputGrad(p: Conv2dProblem, gy: Float32Array, weight: Float32Array): Expected {
  return {
    shape: [p.n, p.c, p.h, p.w],
    cost: (p.k * p.kh * p.kw) / (p.sh * p.sw),
    at(index) {
      const w = index % p.w;
      const h = Math.floor(index / p.w) % p.h;
      const c = Math.floor(index / (p.w * p.h)) % p.c;
      const n = Math.floor(index / (p.w * p.h * p.c));
      let sum = 0;
      for (let r = 0; r < p.kh; r++) {
        const oh = (h + p.ph - r * p.dh) / p.sh;
        if (oh < 0 || oh >= p.oh || oh % 1 !== 0) continue;
        for (let s = 0; s < p.kw; s++) {
          const ow = (w + p.pw - s * p.dw) / p.sw;
          if (ow < 0 || ow >= p.ow || ow % 1 !== 0) continue;
          for (let k = 0; k < p.k; k++) {
            const g = gy[((n * p.k + k) * p.oh + oh) * p.ow + ow] as number;
            sum += g * (weight[((k * p.c + c) * p.kh + r) * p.kw + s] as number);
          }
        }
      }
      return sum;
    },
  };
}

/** gw [k, c, kh, kw] of x and gy. */
export function expectedWeightGrad(p: Conv2dProblem, x: Float32Array, gy: Float32Array): Expected {
  return {
    shape: [p.k, p.c, p.kh, p.kw],
    cost: p.n * p.oh * p.ow,
    at(index) {
      const s = index % p.kw;
      const r = Math.floor(index / p.kw) % p.kh;
      const c = Math.floor(index / (p.kw * p.kh)) % p.c;
      const k = Math.floor(index / (p.kw * p.kh * p.c));
      let sum = 0;
      for (let n = 0; n < p.n; n++) {
        for (let oh = 0; oh < p.oh; oh++) {
          const h = oh * p.sh - p.ph + r * p.dh;
          if (h < 0 || h >= p.h) continue;
          const xRow = ((n * p.c + c) * p.h + h) * p.w;
          const yRow = ((n * p.k + k) * p.oh + oh) * p.ow;
          for (let ow = 0; ow < p.ow; ow++) {
            const w = ow * p.sw - p.pw + s * p.dw;
            if (w >= 0 && w < p.w) sum += (x[xRow + w] as number) * (gy[yRow + ow] as number);
          }
        }
      }
      return sum;
    },
  };
}
