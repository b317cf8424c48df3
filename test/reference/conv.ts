import { type Array64, at, zeros } from './array.js';
import { input, type Pair, pair, type ReferenceOp } from './op.js';

export interface ConvOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
}

export interface ConvTransposeOptions extends ConvOptions {
  readonly outputPadding?: Pair;
}

type Shape4 = readonly [number, number, number, number];

function shape4(a: Array64): Shape4 {
  if (a.shape.length !== 4) throw new Error(`[${a.shape.join()}] must have four axes`);
  return a.shape as unknown as Shape4;
}

/** Flat indices of products along one row of the result: image, image + step, ... against result, result + 1, ... */
type Visit = (image: number, step: number, tap: number, result: number, count: number) => void;

/**
 * Calls `visit` for every row of products that a convolution sums:
 * result[n, k, p, q] += image[n, c, p*stride - padding + i*dilation, ...] * kernel[k, c, i, j].
 * Forward and both gradients, and the transposed convolution and its gradients, are this one walk.
 */
function walk(image: Shape4, kernel: Shape4, result: Shape4, options: ConvOptions, visit: Visit): void {
  const [sh, sw] = pair(options.stride, 1);
  const [ph, pw] = pair(options.padding, 0);
  const [dh, dw] = pair(options.dilation, 1);
  const groups = options.groups ?? 1;
  const [batch, channels, h, w] = image;
  const [filters, depth, kh, kw] = kernel;
  const [, , oh, ow] = result;
  if (channels !== depth * groups || filters % groups !== 0)
    throw new Error('channels, filters and groups do not fit');
  const perGroup = filters / groups;
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < filters; k++) {
      const first = Math.floor(k / perGroup) * depth;
      for (let c = 0; c < depth; c++) {
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const tap = ((k * depth + c) * kh + i) * kw + j;
            // The columns q with 0 <= q*stride + shift < w.
            const shift = j * dw - pw;
            const q0 = Math.max(0, Math.ceil(-shift / sw));
            const q1 = Math.min(ow - 1, Math.floor((w - 1 - shift) / sw));
            for (let p = 0; p < oh; p++) {
              const y = p * sh - ph + i * dh;
              if (y < 0 || y >= h || q1 < q0) continue;
              const from = ((n * channels + first + c) * h + y) * w;
              const to = ((n * filters + k) * oh + p) * ow;
              visit(from + q0 * sw + shift, sw, tap, to + q0, q1 - q0 + 1);
            }
          }
        }
      }
    }
  }
}

/** sum over a row of a[i] * b[j], where i and j move by their steps. */
function dotRow(
  a: Float64Array,
  i: number,
  di: number,
  b: Float64Array,
  j: number,
  dj: number,
  count: number,
): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += (a[i + k * di] as number) * (b[j + k * dj] as number);
  return sum;
}

/** a[i] += factor * b[j] along a row. */
function addRow(
  a: Float64Array,
  i: number,
  di: number,
  factor: number,
  b: Float64Array,
  j: number,
  dj: number,
  count: number,
): void {
  for (let k = 0; k < count; k++)
    a[i + k * di] = (a[i + k * di] as number) + factor * (b[j + k * dj] as number);
}

/** Adds bias[k] to every element of channel k. */
function addBias(out: Array64, bias: Array64): void {
  const [, channels, h, w] = shape4(out);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = at(out, i) + at(bias, Math.floor(i / (h * w)) % channels);
  }
}

/** Sum over all axes but the channels. */
function biasGradient(g: Array64): Array64 {
  const [, channels, h, w] = shape4(g);
  const out = zeros([channels]);
  for (let i = 0; i < g.data.length; i++) {
    const k = Math.floor(i / (h * w)) % channels;
    out.data[k] = at(out, k) + at(g, i);
  }
  return out;
}

/** inputs: x [N, C, H, W], weight [K, C/groups, kh, kw], bias [K] or none. */
export const conv2d: ReferenceOp<ConvOptions> = {
  forward(inputs, options) {
    const [x, weight, bias] = [input(inputs, 0), input(inputs, 1), inputs[2]];
    const [sh, sw] = pair(options.stride, 1);
    const [ph, pw] = pair(options.padding, 0);
    const [dh, dw] = pair(options.dilation, 1);
    const [n, , h, w] = shape4(x);
    const [k, , kh, kw] = shape4(weight);
    const oh = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
    const ow = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
    const out = zeros([n, k, oh, ow]);
    const [from, by, to] = [x.data, weight.data, out.data];
    walk(shape4(x), shape4(weight), shape4(out), options, (i, step, t, o, count) => {
      addRow(to, o, 1, by[t] as number, from, i, step, count);
    });
    if (bias) addBias(out, bias);
    return out;
  },
  vjp(inputs, options, g) {
    const [x, weight, bias] = [input(inputs, 0), input(inputs, 1), inputs[2]];
    const [gx, gw] = [zeros(x.shape), zeros(weight.shape)];
    const [xs, ws, gs, dx, dw] = [x.data, weight.data, g.data, gx.data, gw.data];
    walk(shape4(x), shape4(weight), shape4(g), options, (i, step, t, o, count) => {
      addRow(dx, i, step, ws[t] as number, gs, o, 1, count);
      dw[t] = (dw[t] as number) + dotRow(xs, i, step, gs, o, 1, count);
    });
    return bias ? [gx, gw, biasGradient(g)] : [gx, gw];
  },
};

/** inputs: x [N, C, H, W], weight [C, K/groups, kh, kw], bias [K] or none. The walk runs from the result to x. */
export const convTranspose2d: ReferenceOp<ConvTransposeOptions> = {
  forward(inputs, options) {
    const [x, weight, bias] = [input(inputs, 0), input(inputs, 1), inputs[2]];
    const [sh, sw] = pair(options.stride, 1);
    const [ph, pw] = pair(options.padding, 0);
    const [dh, dw] = pair(options.dilation, 1);
    const [eh, ew] = pair(options.outputPadding, 0);
    const [n, , h, w] = shape4(x);
    const [, perGroup, kh, kw] = shape4(weight);
    const oh = (h - 1) * sh - 2 * ph + dh * (kh - 1) + eh + 1;
    const ow = (w - 1) * sw - 2 * pw + dw * (kw - 1) + ew + 1;
    const out = zeros([n, perGroup * (options.groups ?? 1), oh, ow]);
    const [from, by, to] = [x.data, weight.data, out.data];
    walk(shape4(out), shape4(weight), shape4(x), options, (o, step, t, i, count) => {
      addRow(to, o, step, by[t] as number, from, i, 1, count);
    });
    if (bias) addBias(out, bias);
    return out;
  },
  vjp(inputs, options, g) {
    const [x, weight, bias] = [input(inputs, 0), input(inputs, 1), inputs[2]];
    const [gx, gw] = [zeros(x.shape), zeros(weight.shape)];
    const [xs, ws, gs, dx, dw] = [x.data, weight.data, g.data, gx.data, gw.data];
    walk(shape4(g), shape4(weight), shape4(x), options, (o, step, t, i, count) => {
      addRow(dx, i, 1, ws[t] as number, gs, o, step, count);
      dw[t] = (dw[t] as number) + dotRow(xs, i, 1, gs, o, step, count);
    });
    return bias ? [gx, gw, biasGradient(g)] : [gx, gw];
  },
};
