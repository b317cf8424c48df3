import { fail, shapeText } from '../errors.js';
import type { Operand } from '../kernel.js';
import { maxPool2dGrad, maxPool2d as maxPoolLaunch, type Pool2d } from '../kernels/pool.js';
import type { Gradient, Op } from '../op.js';
import { isOp } from '../plan/rewrite.js';
import { reals, sameShape, Tensor } from '../tensor.js';
import { type Pair, pair } from './conv.js';
import { binaryOp } from './elementwise.js';

/** As PyTorch's: padding 0, dilation 1, sizes rounded down unless `ceilMode`. Pairs are [height, width], in pixels. */
export interface MaxPool2dOptions {
  /** The kernel size when left out. */
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
  ceilMode?: boolean;
}

/** inputs: x */
export const maxPool2dOp: Op<Pool2d> = {
  name: 'maxPool2d',
  inputLayout: 'planes',
  outputLayout: 'planes',
  lower: ({ inputs: [x], output, attrs }, ctx) => maxPoolLaunch(x as Operand, output, attrs, ctx),
};

export const maxPool2dGradient: Gradient<Pool2d> = {
  of: maxPool2dOp,
  rule: ({ gy, inputs: [x], attrs }) => [
    Tensor.of(maxPool2dGradOp, [gy, x as Tensor], (x as Tensor).shape, attrs, (x as Tensor).dtype),
  ],
};

/** inputs: gy, x, and, where a sum of gradients was fused, the other addend. */
export const maxPool2dGradOp: Op<Pool2d> = {
  name: 'maxPool2dGrad',
  inputLayout: 'planes',
  outputLayout: 'planes',
  lower: ({ inputs: [gy, x, add], output, attrs }, ctx) =>
    maxPool2dGrad(gy as Operand, x as Operand, output, attrs, add, ctx),
  /** A sum behind it, which the kernel adds as it writes; before a ReLU's gradient, never after. */
  absorb(node, { slope }, reader) {
    const [a, b] = reader.inputs;
    const other = a === node ? b : a;
    const adds = isOp(reader, binaryOp) && reader.attrs.kind === 'add' && other && other !== node;
    if (!adds || slope !== undefined || node.inputs.length > 2 || node.dtype !== reader.dtype) return null;
    return sameShape(node.shape, other.shape) ? { ...node, inputs: [...node.inputs, other] } : null;
  },
};

function outputSize(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceil: boolean,
): number {
  const span = size + 2 * padding - dilation * (kernel - 1) - 1;
  let out = (ceil ? Math.ceil(span / stride) : Math.floor(span / stride)) + 1;
  // PyTorch: the last window must start inside the input or its left padding.
  if (ceil && (out - 1) * stride >= size + padding) out--;
  return out;
}

/** Max pooling, as torch.nn.functional.max_pool2d; x [N, C, H, W]. The first of equal maxima takes the gradient. */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor {
  if (x.rank !== 4) fail(`maxPool2d: the input must be [N, C, H, W], but it is ${shapeText(x.shape)}.`);
  reals('maxPool2d', x);
  const kernel = pair('maxPool2d: kernel size', kernelSize, 1);
  const stride = pair('maxPool2d: stride', options.stride ?? kernelSize, 1);
  const padding = pair('maxPool2d: padding', options.padding ?? 0, 0);
  const dilation = pair('maxPool2d: dilation', options.dilation ?? 1, 1);
  if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
    fail(
      `maxPool2d: the padding ${shapeText(padding)} must be at most half the kernel ${shapeText(kernel)}.`,
    );
  }
  const ceil = options.ceilMode ?? false;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const oh = outputSize(h, kernel[0], stride[0], padding[0], dilation[0], ceil);
  const ow = outputSize(w, kernel[1], stride[1], padding[1], dilation[1], ceil);
  if (oh < 1 || ow < 1)
    fail(
      `maxPool2d: a ${kernel[0]}x${kernel[1]} kernel does not fit in ${h}x${w}; the result would be ${oh}x${ow}.`,
    );
  const attrs: Pool2d = {
    kernel: [kernel[0], kernel[1]],
    stride: [stride[0], stride[1]],
    padding: [padding[0], padding[1]],
    dilation: [dilation[0], dilation[1]],
  };
  return Tensor.of(maxPool2dOp, [x], [n, c, oh, ow], attrs, x.dtype);
}
