/** The 3x3 convolution in register blocks: one kernel for forward and input gradient, one for the weight gradient. */
import block from '../../shaders/conv2d/block3x3.wgsl';
import weightGradBlock from '../../shaders/conv2d/weight_grad_block3x3.wgsl';
import pack from '../../shaders/conv2d/weights_pack.wgsl';
import storageWeights from '../../shaders/conv2d/weights_storage.wgsl';
import uniformWeights from '../../shaders/conv2d/weights_uniform.wgsl';
import {
  type DeviceFacts,
  elementBytes,
  type Launch,
  type Lowering,
  type Operand,
  storedType,
} from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { type Epilogue, epilogueParts } from './conv2dEpilogue.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import {
  bind,
  type Conv2dProblem,
  conv2dBytes,
  conv2dFlops,
  f32AndF16,
  offset,
  planes,
} from './conv2dProblem.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import { fillOf } from './gemmDevice.js';

const TAPS = 9;
/** Channels of y that an invocation computes, and pixels along a side. */
const BLOCK = 4;

/** 3x3 filters, stride 1, padding 1, no dilation or groups: H and W stay as they are. */
function is3x3(p: Conv2dProblem): boolean {
  return (
    p.kh === 3 &&
    p.kw === 3 &&
    p.sh === 1 &&
    p.sw === 1 &&
    p.ph === 1 &&
    p.pw === 1 &&
    p.dh === 1 &&
    p.dw === 1 &&
    p.groups === 1 &&
    p.h === p.oh &&
    p.w === p.ow
  );
}

/** The convolution as the kernel sees it: from `c` channels to `k`. */
interface Direction {
  readonly c: number;
  readonly k: number;
  readonly turned: boolean;
}

/** Vec4 of packed weights that one launch may have: a uniform buffer holds 64 KiB. */
function capacity(facts: DeviceFacts): { readonly uniform: boolean; readonly vectors: number } {
  const uniform = facts.kind === 'llvmpipe';
  const bytes = uniform ? Math.min(65536, facts.limits.maxUniformBufferBindingSize) : 1 << 26;
  return { uniform, vectors: Math.floor(bytes / 16) };
}

function fits(facts: DeviceFacts, c: number): boolean {
  return c * TAPS <= capacity(facts).vectors;
}

function share(_: Conv2dProblem, { kind }: DeviceFacts): number {
  return kind === 'llvmpipe' ? 0.25 : 0.15;
}

function lowerBlock(
  p: Conv2dProblem,
  { c, k, turned }: Direction,
  x: Operand,
  weight: Operand,
  y: Operand,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const { uniform, vectors } = capacity(ctx.facts);
  const parts = epilogueParts(epilogue, ctx);
  const blocks = Math.ceil(k / BLOCK);
  const together = Math.min(blocks, Math.floor(vectors / (c * TAPS)), 65535);
  const tiles = p.n * Math.ceil(p.h / BLOCK) * Math.ceil(p.w / BLOCK);
  const launches: Launch[] = [];
  for (let first = 0; first < blocks; first += together) {
    const count = Math.min(together, blocks - first);
    const length = count * c * TAPS;
    const weights = ctx.scratch([length * 4]);
    const share = count / blocks;
    launches.push(
      {
        shader: pack,
        constants: {
          COUNT: length,
          C: c,
          K: k,
          K_FIRST: first * BLOCK,
          TURNED: turned,
          ...offset('WEIGHT', weight),
          WEIGHT_TYPE: storedType(weight),
        },
        bindings: [bind(0, weight, 'read'), bind(1, weights, 'write')],
        workgroups: [Math.ceil(length / 64), 1, 1],
        variant: 'pack',
        flops: 0,
        bytes: length * 4 * (elementBytes(weight.dtype) + 4),
      },
      {
        shader: block,
        pieces: [uniform ? uniformWeights : storageWeights, ...parts.pieces],
        constants: {
          N: p.n,
          C: c,
          H: p.h,
          W: p.w,
          K: k,
          K_FIRST: first * BLOCK,
          ...(uniform ? { WEIGHTS: length } : {}),
          ...planes('X', x),
          ...planes('Y', y),
          X_TYPE: storedType(x),
          Y_TYPE: storedType(y),
          ...parts.constants,
        },
        bindings: [
          bind(0, x, 'read'),
          bind(1, weights, uniform ? 'uniform' : 'read'),
          bind(2, y, 'write'),
          ...parts.bindings,
        ],
        workgroups: [Math.ceil(tiles / 64), count, 1],
        variant: `block 4x4x4${parts.label}`,
        flops: conv2dFlops(p) * share,
        bytes: conv2dBytes(p) * share,
      },
    );
  }
  return launches;
}

export const forwardBlock: ForwardVariant = {
  name: 'block',
  dtypes: f32AndF16,
  supports: (p, facts) => is3x3(p) && fits(facts, p.c),
  share,
  lower: (p, io, epilogue, ctx) =>
    lowerBlock(p, { c: p.c, k: p.k, turned: false }, io.x, io.weight, io.y, epilogue, ctx),
};

export const inputGradBlock: InputGradVariant = {
  name: 'block',
  dtypes: f32AndF16,
  supports: (p, facts) => is3x3(p) && fits(facts, p.k),
  share,
  lower: (p, io, epilogue, ctx) =>
    lowerBlock(p, { c: p.k, k: p.c, turned: true }, io.gy, io.weight, io.gx, epilogue, ctx),
};

/** Invocations wanted in all, so that every core has work; more would only add partial sums. */
const INVOCATIONS = 2048;

export const weightGradBlockVariant: WeightGradVariant = {
  name: 'block',
  dtypes: f32AndF16,
  supports: (p) => is3x3(p) && p.k <= 4 * 65535 && p.c <= 2 * 65535,
  share: (_, facts) => (facts.software ? 0.15 : 0.15 * fillOf(facts, INVOCATIONS)),
  lower(p, io, ctx) {
    const tiles = Math.ceil(p.k / BLOCK) * Math.ceil(p.c / 2);
    // Rows of all images in one list, cut into parts: a layer of many channels has work enough in one.
    const wanted = Math.min(p.n * p.h, Math.ceil(INVOCATIONS / tiles));
    const rows = Math.ceil((p.n * p.h) / wanted);
    const parts = Math.ceil((p.n * p.h) / rows);
    const size = p.k * p.c * TAPS;
    const sums = parts > 1 || io.gw.layout.offset !== 0 ? ctx.scratch([parts, size]) : null;
    const target = sums ?? io.gw;
    const launches: Launch[] = [
      {
        shader: weightGradBlock,
        constants: {
          N: p.n,
          C: p.c,
          H: p.h,
          W: p.w,
          K: p.k,
          ...planes('X', io.x),
          ...planes('GY', io.gy),
          X_TYPE: storedType(io.x),
          GY_TYPE: storedType(io.gy),
          ROWS: rows,
          PARTS: parts,
        },
        bindings: [bind(0, io.x, 'read'), bind(1, io.gy, 'read'), bind(2, target, 'write')],
        workgroups: [Math.ceil(parts / 8), Math.ceil(p.c / 2), Math.ceil(p.k / BLOCK)],
        variant: `block 4x2x9, ${parts} parts`,
        flops: conv2dFlops(p),
        bytes: conv2dBytes(p) + 4 * parts * size,
      },
    ];
    if (sums) launches.push(reducePartsLaunch(sums, io.gw, size, parts, { part: size, item: 1 }, ctx));
    return launches;
  },
};
