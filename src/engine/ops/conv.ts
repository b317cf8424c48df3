import { fail, shapeText } from '../errors.js';
import type { Operand } from '../kernel.js';
import {
  type Conv2dProblem,
  conv2dBiasGrad,
  conv2dForward,
  conv2dInputGrad,
  conv2dWeightGrad,
  type Epilogue,
} from '../kernels/conv2d.js';
import type { Gradient, Op } from '../op.js';
import type { PlanNode } from '../plan/graph.js';
import { isOp } from '../plan/rewrite.js';
import { floats, reals, Tensor } from '../tensor.js';
import { castOp } from './cast.js';
import { dropoutOp } from './dropout.js';
import { unaryOp } from './elementwise.js';

/** A size for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

export function pair(what: string, value: Pair, least: number): readonly [number, number] {
  const both: readonly [number, number] = typeof value === 'object' ? value : [value, value];
  for (const v of both) {
    if (!Number.isInteger(v) || v < least)
      fail(`${what} must be whole numbers of at least ${least}, not ${shapeText(both)}.`);
  }
  return both;
}

/** What the fusing pass adds to a convolution; empty as the user makes it. */
export type Activation = NonNullable<Epilogue['activation']>;

export interface ConvAttrs {
  readonly problem: Conv2dProblem;
  readonly activation?: Activation;
  readonly dropout?: { readonly p: number; readonly stream: number };
  /** What decides, by one more input than the others, which elements of the result pass. */
  readonly gate?: {
    readonly factor: number;
    readonly of: (more: readonly Operand[], factor: number) => Epilogue;
  };
}

/** As PyTorch's: stride 1, padding 0, dilation 1 and one group unless given. Pairs are [height, width], in pixels. */
export interface Conv2dOptions {
  stride?: Pair;
  padding?: Pair;
  dilation?: Pair;
  groups?: number;
}

/** As {@link Conv2dOptions}; `outputPadding` adds rows and columns at the end of the result, 0 unless given. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  outputPadding?: Pair;
}

/** `more`: a bias, if any, and what the gate reads, if there is one. */
function epilogue(more: readonly Operand[], { activation, dropout, gate }: ConvAttrs): Epilogue {
  return { bias: more[0], activation, dropout, ...gate?.of(more, gate.factor) };
}

/** Convolutions of f16 take and give f16, but for the bias and for gradients of weight and bias, which stay f32. */
function typeOf(problem: Conv2dProblem): 'f32' | 'f16' {
  return problem.dtype ?? 'f32';
}

/** ReLU or sigmoid, then dropout, in the epilogue of a convolution; and the result in another float type. */
function absorb(node: PlanNode, attrs: ConvAttrs, reader: PlanNode): PlanNode | null {
  if (isOp(reader, castOp) && node.dtype === 'f16') return { ...node, dtype: reader.dtype };
  if (attrs.dropout || attrs.gate) return null;
  if (isOp(reader, unaryOp) && !attrs.activation) {
    const { kind } = reader.attrs;
    return kind === 'relu' || kind === 'sigmoid' ? { ...node, attrs: { ...attrs, activation: kind } } : null;
  }
  if (!isOp(reader, dropoutOp) || reader.attrs.p >= 1) return null;
  const { p, stream } = reader.attrs;
  return { ...node, attrs: { ...attrs, dropout: { p, stream } } };
}

/** inputs: x, weight, bias?, and what the gate reads? */
export const conv2dOp: Op<ConvAttrs> = {
  name: 'conv2d',
  inputLayout: 'planes',
  outputLayout: 'planes',
  lower: ({ inputs: [x, weight, ...more], output, attrs }, ctx) =>
    conv2dForward(
      attrs.problem,
      { x: x as Operand, weight: weight as Operand, y: output },
      epilogue(more, attrs),
      ctx,
    ),
  absorb,
};

export const conv2dGradient: Gradient<ConvAttrs> = {
  of: conv2dOp,
  rule({ gy, inputs, attrs: { problem }, needs }) {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    return [
      needs[0] ? Tensor.of(conv2dInputGradOp, [gy, weight], x.shape, { problem }, typeOf(problem)) : null,
      needs[1] ? Tensor.of(conv2dWeightGradOp, [x, gy], weight.shape, { problem }) : null,
      bias && needs[2] ? Tensor.of(conv2dBiasGradOp, [gy], bias.shape, {}) : null,
    ];
  },
};

/** inputs: gy, weight, bias?, and what the gate reads? It is the transposed convolution too. */
export const conv2dInputGradOp: Op<ConvAttrs> = {
  name: 'conv2dInputGrad',
  inputLayout: 'planes',
  outputLayout: 'planes',
  lower: ({ inputs: [gy, weight, ...more], output, attrs }, ctx) =>
    conv2dInputGrad(
      attrs.problem,
      { gy: gy as Operand, weight: weight as Operand, gx: output },
      epilogue(more, attrs),
      ctx,
    ),
  absorb,
};

export const conv2dInputGradGradient: Gradient<ConvAttrs> = {
  of: conv2dInputGradOp,
  rule({ gy, inputs, attrs: { problem }, needs }) {
    // Here `gy` is the gradient of what a plain convolution would call its input.
    const [y, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    return [
      needs[0] ? Tensor.of(conv2dOp, [gy, weight], y.shape, { problem }, typeOf(problem)) : null,
      needs[1] ? Tensor.of(conv2dWeightGradOp, [gy, y], weight.shape, { problem }) : null,
      bias && needs[2] ? Tensor.of(conv2dBiasGradOp, [gy], bias.shape, {}) : null,
    ];
  },
};

/** inputs: x, gy */
export const conv2dWeightGradOp: Op<ConvAttrs> = {
  name: 'conv2dWeightGrad',
  inputLayout: 'planes',
  outputLayout: 'contiguous',
  lower: ({ inputs: [x, gy], output, attrs }, ctx) =>
    conv2dWeightGrad(attrs.problem, { x: x as Operand, gy: gy as Operand, gw: output }, ctx),
};

export const conv2dWeightGradGradient: Gradient<ConvAttrs> = {
  of: conv2dWeightGradOp,
  rule({ gy: gw, inputs, attrs: { problem }, needs }) {
    const [x, gy] = inputs as [Tensor, Tensor];
    const dtype = typeOf(problem);
    const g = gw.to(dtype);
    return [
      needs[0] ? Tensor.of(conv2dInputGradOp, [gy, g], x.shape, { problem }, dtype) : null,
      needs[1] ? Tensor.of(conv2dOp, [x, g], gy.shape, { problem }, dtype) : null,
    ];
  },
};

/** inputs: gy */
export const conv2dBiasGradOp: Op<object> = {
  name: 'conv2dBiasGrad',
  inputLayout: 'planes',
  outputLayout: 'contiguous',
  lower: ({ inputs: [gy], output }, ctx) => conv2dBiasGrad({ gy: gy as Operand, gb: output }, ctx),
};

export const conv2dBiasGradGradient: Gradient<object> = {
  of: conv2dBiasGradOp,
  rule: ({ gy, inputs: [input] }) => {
    const x = input as Tensor;
    return [
      gy
        .reshape(1, -1, 1, 1)
        .expand(x.shape)
        .to(x.dtype === 'f16' ? 'f16' : 'f32'),
    ];
  },
};

/** Throws where the types do not go together. */
function checkTypes(what: string, x: Tensor, weight: Tensor, bias: Tensor | null | undefined): void {
  reals(what, x, weight);
  if (bias) floats(`${what}: bias`, bias);
  if (x.dtype === 'f32' && weight.dtype === 'f16')
    fail(`${what}: the weight is f16, but the input is f32; convert one of them.`);
}

/** In f16 where x is: weights that are kept in f32 are then converted, once a step for all of a model. */
function convolution(
  op: Op<ConvAttrs>,
  sizes: Omit<Conv2dProblem, 'dtype'>,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  shape: readonly number[],
): Tensor {
  const problem: Conv2dProblem = x.dtype === 'f16' ? { ...sizes, dtype: 'f16' } : sizes;
  const dtype = typeOf(problem);
  const inputs = [x, weight.to(dtype), ...(bias ? [bias] : [])];
  return Tensor.of(op, inputs, shape, { problem }, dtype);
}

function checkBias(what: string, bias: Tensor | null | undefined, channels: number): void {
  if (bias && (bias.rank !== 1 || bias.shape[0] !== channels)) {
    fail(`${what}: the bias must be [${channels}], but it is ${shapeText(bias.shape)}.`);
  }
}

function checkGroups(what: string, groups: number, channels: number): void {
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    fail(`${what}: groups (${groups}) must divide the channels (${channels}).`);
  }
}

/**
 * 2D cross-correlation, as torch.nn.functional.conv2d.
 * x [N, C, H, W], weight [K, C/groups, kh, kw], bias [K] in f32; result [N, K, OH, OW], of x's dtype, with
 * OH = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: Conv2dOptions = {}): Tensor {
  if (x.rank !== 4) fail(`conv2d: the input must be [N, C, H, W], but it is ${shapeText(x.shape)}.`);
  if (weight.rank !== 4)
    fail(`conv2d: the weight must be [K, C/groups, kh, kw], but it is ${shapeText(weight.shape)}.`);
  checkTypes('conv2d', x, weight, bias);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [k, cg, kh, kw] = weight.shape as [number, number, number, number];
  const [sh, sw] = pair('conv2d: stride', options.stride ?? 1, 1);
  const [ph, pw] = pair('conv2d: padding', options.padding ?? 0, 0);
  const [dh, dw] = pair('conv2d: dilation', options.dilation ?? 1, 1);
  const groups = options.groups ?? 1;
  checkGroups('conv2d', groups, c);
  checkGroups('conv2d', groups, k);
  if (cg * groups !== c) {
    fail(
      `conv2d: a weight ${shapeText(weight.shape)} with ${groups} group(s) takes ${cg * groups} channels, but the input ${shapeText(x.shape)} has ${c}.`,
    );
  }
  checkBias('conv2d', bias, k);
  const oh = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
  const ow = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
  if (oh < 1 || ow < 1) {
    fail(
      `conv2d: a ${kh}x${kw} kernel (dilation ${dh}, ${dw}) does not fit in ${h}x${w} with padding ${ph}, ${pw}.`,
    );
  }
  const sizes = { n, c, h, w, k, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw, groups };
  return convolution(conv2dOp, sizes, x, weight, bias, [n, k, oh, ow]);
}

/**
 * 2D transposed convolution, as torch.nn.functional.conv_transpose2d.
 * x [N, C, H, W], weight [C, K/groups, kh, kw], bias [K] in f32; result [N, K, OH, OW], of x's dtype, with
 * OH = (H - 1) stride - 2 padding + dilation (kh - 1) + outputPadding + 1.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  if (x.rank !== 4) fail(`convTranspose2d: the input must be [N, C, H, W], but it is ${shapeText(x.shape)}.`);
  if (weight.rank !== 4) {
    fail(`convTranspose2d: the weight must be [C, K/groups, kh, kw], but it is ${shapeText(weight.shape)}.`);
  }
  checkTypes('convTranspose2d', x, weight, bias);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [wc, kg, kh, kw] = weight.shape as [number, number, number, number];
  const [sh, sw] = pair('convTranspose2d: stride', options.stride ?? 1, 1);
  const [ph, pw] = pair('convTranspose2d: padding', options.padding ?? 0, 0);
  const [dh, dw] = pair('convTranspose2d: dilation', options.dilation ?? 1, 1);
  const [eh, ew] = pair('convTranspose2d: output padding', options.outputPadding ?? 0, 0);
  const groups = options.groups ?? 1;
  checkGroups('convTranspose2d', groups, c);
  if (wc !== c) {
    fail(
      `convTranspose2d: a weight ${shapeText(weight.shape)} takes ${wc} channels, but the input ${shapeText(x.shape)} has ${c}.`,
    );
  }
  if ((eh >= sh && eh >= dh) || (ew >= sw && ew >= dw)) {
    fail(`convTranspose2d: output padding ${eh}, ${ew} must be smaller than the stride or the dilation.`);
  }
  const k = kg * groups;
  checkBias('convTranspose2d', bias, k);
  const oh = (h - 1) * sh - 2 * ph + dh * (kh - 1) + eh + 1;
  const ow = (w - 1) * sw - 2 * pw + dw * (kw - 1) + ew + 1;
  if (oh < 1 || ow < 1)
    fail(`convTranspose2d: the result would be ${oh}x${ow}; the padding ${ph}, ${pw} is too large.`);
  // The plain convolution whose input gradient this is: from [K, OH, OW] to [C, H, W].
  const sizes = { n, c: k, h: oh, w: ow, k: c, oh: h, ow: w, kh, kw, sh, sw, ph, pw, dh, dw, groups };
  return convolution(conv2dInputGradOp, sizes, x, weight, bias, [n, k, oh, ow]);
}
