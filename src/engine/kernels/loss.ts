import nonfinite from '../../shaders/common/nonfinite.wgsl';
import strided from '../../shaders/common/strided.wgsl';
import math from '../../shaders/elementwise/math.wgsl';
import bce from '../../shaders/loss/bce.wgsl';
import bceSum from '../../shaders/loss/bce_sum.wgsl';
import diceLossShader from '../../shaders/loss/dice_loss.wgsl';
import diceLossGradShader from '../../shaders/loss/dice_loss_grad.wgsl';
import diceSumsShader from '../../shaders/loss/dice_sums.wgsl';
import {
  type Constants,
  f32,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  readThenWrite,
  type Shader,
} from '../kernel.js';
import { isContiguous } from '../layout.js';
import { grid1d } from './grid.js';
import { copyStrided } from './movement.js';
import { reduceSum } from './reduce.js';
import {
  broadcastStrides,
  collapse,
  flatLanes,
  lanesOf,
  lanesPiece,
  runGrid,
  type Target,
  WORKGROUP,
  walkPlace,
  walkShape,
} from './strided.js';

/** A contiguous operand with the same elements, and what must run to make it so. */
function flat(x: Operand, ctx: Lowering): { operand: Operand; launches: Launch[] } {
  if (isContiguous(x)) return { operand: x, launches: [] };
  const operand = ctx.scratch(x.shape);
  return { operand, launches: copyStrided(x, operand, ctx) };
}

interface Chunks {
  readonly workgroup: number;
  /** Invocations that add up one chunk together. */
  readonly group: number;
  /** Neighbouring Vs that one of them takes at a time. */
  readonly run: number;
  /** In Vs. */
  readonly chunk: number;
  readonly chunks: number;
}

/**
 * Cuts a long sum so that each invocation adds 16 Vs or more, but at most 256 one by one. On a GPU a workgroup shares a
 * chunk; on a CPU, where barriers are dear, an invocation has one of its own.
 */
function cut(length: number, ctx: Lowering): Chunks {
  const { software } = ctx.facts;
  const workgroup = software ? WORKGROUP : 256;
  const group = software ? 1 : workgroup;
  const wanted = software ? 512 : 512 * group;
  const each = Math.min(256, Math.max(16, Math.ceil(length / wanted)));
  const chunk = group * each;
  return { workgroup, group, run: software ? each : 1, chunk, chunks: Math.ceil(length / chunk) };
}

function checkPair(what: string, p: Operand, t: Operand): void {
  if (p.shape.length !== t.shape.length || p.shape.some((size, i) => size !== t.shape[i]))
    throw new Error(
      `${what}: the prediction [${p.shape}] and the target [${t.shape}] must have the same shape.`,
    );
  if (numel(p.shape) === 0)
    throw new Error(`${what}: there is no element to take the loss of in [${p.shape}].`);
}

/** A kernel that adds up something of pairs of elements. */
interface PairSums {
  readonly what: string;
  readonly shader: Shader;
  readonly pieces: readonly Shader[];
  readonly constants: Constants;
  /** Sums that it makes at a time. */
  readonly sums: number;
  readonly flops: number;
}

/** out[i] = scale times the i-th sum over all pairs of p and t, which have one shape. */
function sumPairs(
  kernel: PairSums,
  p: Operand,
  t: Operand,
  out: Operand,
  scale: number,
  ctx: Lowering,
): Launch[] {
  const { what, sums, flops } = kernel;
  checkPair(what, p, t);
  const a = flat(p, ctx);
  const b = flat(t, ctx);
  const elements = numel(p.shape);
  const lanes = flatLanes(a.operand, b.operand);
  const length = elements / lanes;
  const { workgroup, group, run, chunk, chunks } = cut(length, ctx);
  const grid = grid1d(chunks * group, workgroup);
  const partials = chunks > 1 ? ctx.scratch([sums, chunks]) : null;
  const target = partials ?? out;
  const launch: Launch = {
    shader: kernel.shader,
    pieces: [lanesPiece(lanes), ...kernel.pieces],
    constants: {
      ...grid.constants,
      WORKGROUP: workgroup,
      GROUP: group,
      RUN: run,
      LENGTH: length,
      CHUNK: chunk,
      CHUNKS: chunks,
      P_OFFSET: a.operand.layout.offset / lanes,
      T_OFFSET: b.operand.layout.offset / lanes,
      SUMS_OFFSET: target.layout.offset,
      SUMS_STEP: target.layout.strides[0] ?? 1,
      SCALE: f32(partials ? 1 : scale),
      ...kernel.constants,
    },
    bindings: readThenWrite([a.operand, b.operand], target),
    workgroups: grid.workgroups,
    variant: `${what} x${lanes}, ${chunks} chunks`,
    flops: flops * elements,
    bytes: 8 * elements + 4 * sums * chunks,
  };
  const result: Operand = {
    ...out,
    shape: [sums],
    layout: { offset: out.layout.offset, strides: [out.layout.strides[0] ?? 1] },
  };
  const second = partials ? reduceSum(partials, result, { axes: [1], scale }, ctx) : [];
  return [...a.launches, ...b.launches, launch, ...second];
}

function crossEntropyMean(p: Operand, t: Operand, out: Operand, logits: boolean, ctx: Lowering): Launch[] {
  const kernel = {
    what: logits ? 'bceLogitsMean' : 'bceMean',
    shader: bceSum,
    pieces: [nonfinite, math, bce],
    constants: { LOGITS: logits },
    sums: 1,
    flops: 25,
  };
  return sumPairs(kernel, p, t, out, 1 / numel(p.shape), ctx);
}

/**
 * out = mean over all elements of (t - 1) max(log(1 - p), -100) - t max(log p, -100). p and t have one shape, out one
 * element. Deterministic.
 */
export function bceMean(p: Operand, t: Operand, out: Operand, ctx: Lowering): Launch[] {
  return crossEntropyMean(p, t, out, false, ctx);
}

/** out = mean over all elements of log(1 + e^x) - x t, finite for any finite x; as {@link bceMean} of sigmoid(x). */
export function bceLogitsMean(x: Operand, t: Operand, out: Operand, ctx: Lowering): Launch[] {
  return crossEntropyMean(x, t, out, true, ctx);
}

/** out[3] = sum(p t), sum(p), sum(t), in one pass. Deterministic. */
export function diceSums(p: Operand, t: Operand, out: Operand, ctx: Lowering): Launch[] {
  const kernel = { what: 'dice sums', shader: diceSumsShader, pieces: [], constants: {}, sums: 3, flops: 4 };
  return sumPairs(kernel, p, t, out, 1, ctx);
}

export interface DiceOptions {
  /** Added to numerator and denominator: 1 in the reference. */
  readonly smooth: number;
}

/** loss = 1 - (2 sums[0] + smooth) / (sums[1] + sums[2] + smooth), for the sums of {@link diceSums}. */
export function diceLoss(sums: Operand, loss: Operand, { smooth }: DiceOptions): Launch[] {
  return [
    {
      shader: diceLossShader,
      constants: {
        SUMS_OFFSET: sums.layout.offset,
        SUMS_STEP: sums.layout.strides[0] as number,
        LOSS_OFFSET: loss.layout.offset,
        SMOOTH: f32(smooth),
      },
      bindings: readThenWrite([sums], loss),
      workgroups: [1, 1, 1],
      variant: 'dice loss',
      flops: 6,
      bytes: 16,
    },
  ];
}

/**
 * gp = g times the derivative of {@link diceLoss} by p, -(2 t D - N) / D^2 with N = 2 sums[0] + smooth and
 * D = sums[1] + sums[2] + smooth. t and gp have one shape, g one element. With p in place of t: the derivative by t.
 */
export function diceLossGrad(
  sums: Operand,
  t: Operand,
  g: Operand,
  gp: Operand,
  { smooth }: DiceOptions,
  target?: Target,
): Launch[] {
  const elements = numel(gp.shape);
  if (elements === 0) return [];
  const walk = collapse(gp.shape, [broadcastStrides(t, gp.shape, 'diceLossGrad'), gp.layout.strides]);
  const lanes = lanesOf(walk, [t.layout.offset, gp.layout.offset]);
  const count = elements / lanes;
  const grid = runGrid(count, lanes, target);
  const pieces: Shader[] = [lanesPiece(lanes), strided];
  return [
    {
      shader: diceLossGradShader,
      pieces,
      constants: {
        ...grid.constants,
        SHAPE: walkShape(walk.shape, lanes),
        ...walkPlace('T', t.layout.offset, walk.strides[0] as readonly number[], lanes),
        ...walkPlace('GP', gp.layout.offset, walk.strides[1] as readonly number[], lanes),
        SUMS_OFFSET: sums.layout.offset,
        SUMS_STEP: sums.layout.strides[0] as number,
        G_OFFSET: g.layout.offset,
        SMOOTH: f32(smooth),
      },
      bindings: readThenWrite([sums, t, g], gp),
      workgroups: grid.workgroups,
      variant: `dice gradient x${lanes}`,
      flops: 3 * elements,
      bytes: 8 * elements,
    },
  ];
}
