/** The shape of a convolution and what its kernels share: constants, operands, the choice of a variant. */
import { fail } from '../errors.js';
import type {
  Access,
  Binding,
  Constants,
  DeviceFacts,
  DType,
  Lowering,
  Operand,
  Problem,
} from '../kernel.js';
import { elementBytes, prefixed } from '../kernel.js';

export { operandBytes } from '../kernel.js';

import { choose } from '../tuning/choose.js';

/**
 * A convolution x [n,c,h,w] -> y [n,k,oh,ow] with weight [k, c/groups, kh, kw]; `s`, `p`, `d` before `h` and `w` are
 * stride, padding and dilation. The transposed convolution is the same problem read from y to x, so `h` and `w` may
 * be larger than what `oh` and `ow` reach (output padding).
 */
export interface Conv2dProblem {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly k: number;
  readonly oh: number;
  readonly ow: number;
  readonly kh: number;
  readonly kw: number;
  readonly sh: number;
  readonly sw: number;
  readonly ph: number;
  readonly pw: number;
  readonly dh: number;
  readonly dw: number;
  readonly groups: number;
  /** Of x, y, their gradients and the weight; f32 where it is left out. Gradients of weight and bias are f32 always. */
  readonly dtype?: 'f32' | 'f16';
}

/** A step of a ladder: whether it can run a problem on a device, and how well it should. */
export interface Conv2dVariant {
  readonly name: string;
  /** What x, y and the weight may be stored as; f32 alone where it is left out. */
  readonly dtypes?: readonly DType[];
  supports(p: Conv2dProblem, facts: DeviceFacts): boolean;
  /**
   * Expected direct FLOPs over the device's multiply-add ceiling, from measurements (docs/kernels.md) by kind of device
   * and shape. Without a tuning table the variant with the greatest share is taken.
   */
  share(p: Conv2dProblem, facts: DeviceFacts): number;
}

export function conv2dConstants(p: Conv2dProblem): Constants {
  return {
    N: p.n,
    C: p.c,
    H: p.h,
    W: p.w,
    K: p.k,
    OH: p.oh,
    OW: p.ow,
    KH: p.kh,
    KW: p.kw,
    SH: p.sh,
    SW: p.sw,
    PH: p.ph,
    PW: p.pw,
    DH: p.dh,
    DW: p.dw,
    GROUPS: p.groups,
  };
}

/** Floating-point operations of the plain algorithm, the same for forward and both gradients. */
export function conv2dFlops(p: Conv2dProblem): number {
  return 2 * p.n * p.k * p.oh * p.ow * (p.c / p.groups) * p.kh * p.kw;
}

/** For a variant that takes both: f16 is only in how elements are stored. */
export const f32AndF16: readonly DType[] = ['f32', 'f16'];

/** Bytes of the three operands, each moved once. */
export function conv2dBytes(p: Conv2dProblem): number {
  const bytes = elementBytes(p.dtype ?? 'f32');
  return bytes * (p.n * p.c * p.h * p.w + p.n * p.k * p.oh * p.ow + (p.k * p.c * p.kh * p.kw) / p.groups);
}

/** `NAME_OFFSET` and `NAME_BATCH` of an NCHW operand in planes layout (all axes but the first contiguous). */
export function planes(name: string, operand: Operand): Constants {
  const [, c, h, w] = operand.shape as readonly [number, number, number, number];
  const [batch, channel, row, column] = operand.layout.strides as readonly [number, number, number, number];
  const dense = (size: number, stride: number, expected: number) => size <= 1 || stride === expected;
  if (operand.shape.length !== 4 || !dense(w, column, 1) || !dense(h, row, w) || !dense(c, channel, h * w)) {
    throw new Error(
      `conv2d: ${name} [${operand.shape}] must have contiguous planes; its strides are [${operand.layout.strides}].`,
    );
  }
  return prefixed(name, { OFFSET: operand.layout.offset, BATCH: batch });
}

/** `NAME_OFFSET` of a contiguous operand. */
export function offset(name: string, operand: Operand): Constants {
  return prefixed(name, { OFFSET: operand.layout.offset });
}

/** True where the operand's elements follow each other without a gap and it starts its storage. */
export function isWhole(operand: Operand): boolean {
  let step = 1;
  for (let i = operand.shape.length - 1; i >= 0; i--) {
    const size = operand.shape[i] as number;
    if (size > 1 && operand.layout.strides[i] !== step) return false;
    step *= size;
  }
  return operand.layout.offset === 0;
}

/** A kernel's own words, those of its shared epilogue from 24 on, and those of its packing from 32 on. */
export function join(
  own: readonly number[],
  epilogue: readonly number[],
  packing: readonly number[],
): number[] {
  const words = [...own];
  for (let i = 0; i < epilogue.length; i++) words[24 + i] = epilogue[i] as number;
  for (let i = 0; i < packing.length; i++) words[32 + i] = packing[i] as number;
  return words;
}

/** Words for sizes.wgsl, filled up to the length it declares. */
export function sizeWords(words: readonly number[]): number[] {
  return Array.from({ length: 48 }, (_, i) => words[i] ?? 0);
}

export function bind(at: number, operand: Operand, access: Access): Binding {
  return { at, operand, access };
}

/** What a tuning table knows a convolution by. */
export function conv2dKey(p: Conv2dProblem): Problem {
  const both = (a: number, b: number) => (a === b ? `${a}` : `${a},${b}`);
  const dilation = p.dh === 1 && p.dw === 1 ? '' : `d${both(p.dh, p.dw)}`;
  const groups = p.groups === 1 ? '' : `g${p.groups}`;
  const dtype = p.dtype === 'f16' ? 'f16' : '';
  return {
    form: `${p.kh}x${p.kw}s${both(p.sh, p.sw)}p${both(p.ph, p.pw)}${dilation}${groups}${dtype}`,
    sizes: [p.n, p.c, p.h, p.w, p.k],
  };
}

/** The step of a ladder, or of what a plan was given beside it, that is to run a problem. `op` is the op's name, as in the options of a plan. */
export function chooseVariant<V extends Conv2dVariant>(
  op: string,
  own: readonly V[],
  more: readonly V[] | undefined,
  p: Conv2dProblem,
  ctx: Lowering,
): V {
  const ladder = [...own, ...(more ?? [])];
  const { facts, forced } = ctx;
  const problem = conv2dKey(p);
  const dtype = p.dtype ?? 'f32';
  const candidates = ladder.map((v) => ({
    name: v.name,
    share: (v.dtypes ?? ['f32']).includes(dtype) && v.supports(p, facts) ? v.share(p, facts) : null,
  }));
  const name = ctx.choose?.(problem, candidates) ?? choose(op, problem, candidates, { forced }).variant;
  // Nothing may be timed or tested under another's name.
  if (!ctx.choose && forced !== undefined && name !== forced)
    fail(`${op}: variant '${forced}' cannot run this problem on this device; leave the choice to the plan.`);
  return ladder.find((v) => v.name === name) as V;
}

/** Which part of whole blocks of `block` a size fills: the share of its work that a kernel does not do for nothing. */
export function filled(size: number, block: number): number {
  return size / (Math.ceil(size / block) * block);
}
