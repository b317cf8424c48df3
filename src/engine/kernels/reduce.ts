import nonfinite from '../../shaders/common/nonfinite.wgsl';
import strided from '../../shaders/common/strided.wgsl';
import across1 from '../../shaders/reduce/across1.wgsl';
import across4 from '../../shaders/reduce/across4.wgsl';
import columnsShader from '../../shaders/reduce/columns.wgsl';
import ops from '../../shaders/reduce/ops.wgsl';
import rowsShader from '../../shaders/reduce/rows.wgsl';
import {
  contiguousStrides,
  f32,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  readThenWrite,
} from '../kernel.js';
import { fill } from './elementwise.js';
import { grid1d } from './grid.js';
import { collapse, lanesOf, lanesPiece, type Walk, WORKGROUP, walkShape, walkStrides } from './strided.js';

const OPS = ['sum', 'max'] as const;
type ReduceOp = (typeof OPS)[number];

/** Terms that one invocation adds one by one at most, in each lane: more would cost accuracy, fewer speed. */
const SERIAL = 256;

/** Terms for each invocation below which a row or column is not cut for speed alone: the second launch costs more. */
function worth(ctx: Lowering): number {
  return ctx.facts.software ? SERIAL : 16;
}

export interface ReduceOptions {
  /** Axes of x to reduce over. None: every element on its own. */
  readonly axes: readonly number[];
}

/**
 * y = scale times the sum of x over `axes`. y has the axes kept, in their order, with or without the reduced ones as 1.
 * Deterministic; a sum of millions of numbers stays within 1e-6 of its terms' sum of magnitudes.
 */
export function reduceSum(
  x: Operand,
  y: Operand,
  opts: ReduceOptions & { readonly scale?: number },
  ctx: Lowering,
): Launch[] {
  return reduce('sum', x, y, opts.axes, opts.scale ?? 1, ctx);
}

/** y = the maximum of x over `axes`, NaN where any is NaN. y as for {@link reduceSum}. */
export function reduceMax(x: Operand, y: Operand, opts: ReduceOptions, ctx: Lowering): Launch[] {
  return reduce('max', x, y, opts.axes, 1, ctx);
}

/** Strides of y along the axes kept, whether or not y has the reduced axes as 1. */
function keptStrides(y: Operand, x: Operand, kept: readonly number[], what: string): number[] {
  if (y.shape.length === x.shape.length) return kept.map((axis) => y.layout.strides[axis] as number);
  if (y.shape.length === kept.length) return [...y.layout.strides];
  throw new Error(
    `${what}: the result of [${x.shape}] with ${kept.length} axes kept cannot have shape [${y.shape}].`,
  );
}

function reduce(
  op: ReduceOp,
  x: Operand,
  y: Operand,
  axes: readonly number[],
  scale: number,
  ctx: Lowering,
): Launch[] {
  const all = x.shape.map((_, axis) => axis);
  const kept = all.filter((axis) => !axes.includes(axis));
  const reduced = all.filter((axis) => axes.includes(axis));
  const pick = (axis: number) => x.shape[axis] as number;
  const stride = (axis: number) => x.layout.strides[axis] as number;
  const keptShape = kept.map(pick);
  const outputs = numel(keptShape);
  const length = numel(reduced.map(pick));
  if (outputs === 0) return [];
  if (length === 0) {
    if (op === 'max') throw new Error(`max: there is nothing to take the maximum of in [${x.shape}].`);
    return fill(0, y, ctx);
  }
  const yStrides = keptStrides(y, x, kept, op);
  const along = collapse(reduced.map(pick), [reduced.map(stride)]);
  const inner = lastStride(along, 0);
  const keptInner = lastStride(collapse(keptShape, [kept.map(stride)]), 0);
  const form = inner !== 0 && (keptInner === 0 || inner < keptInner) ? rows : columns;
  return form(
    { op, x, y, scale, keptShape, xStrides: kept.map(stride), yStrides, along, outputs, length },
    ctx,
  );
}

/** Stride along the last axis of a walk; 0 if it has none. */
function lastStride(walk: Walk, k: number): number {
  return (walk.strides[k] as readonly number[])[walk.shape.length - 1] ?? 0;
}

interface Problem {
  readonly op: ReduceOp;
  readonly x: Operand;
  readonly y: Operand;
  readonly scale: number;
  readonly keptShape: readonly number[];
  /** Strides of x and y along the kept axes. */
  readonly xStrides: readonly number[];
  readonly yStrides: readonly number[];
  /** Walk of x along the reduced axes. */
  readonly along: Walk;
  readonly outputs: number;
  readonly length: number;
}

/** Invocations that keep a device busy: few on a CPU, where each workgroup is work for one core. */
function wanted(ctx: Lowering): number {
  return ctx.facts.software ? 512 : 131072;
}

function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, n)));
}

function rows(p: Problem, ctx: Lowering): Launch[] {
  const { x, along } = p;
  // The reduced axes are walked in Vs, so the kept ones must step by whole Vs.
  const lanes = p.xStrides.every((s, i) => s % 4 === 0 || p.keptShape[i] === 1)
    ? lanesOf(along, [x.layout.offset])
    : 1;
  const length = p.length / lanes;
  // On a CPU barriers are dear and strides free: there a row's invocations do not speak to each other at all.
  const workgroup = ctx.facts.software ? WORKGROUP : 256;
  const group = ctx.facts.software ? 1 : Math.min(workgroup, powerOfTwoFrom(length / 4));
  const forAccuracy = Math.ceil(length / (group * SERIAL));
  const forSpeed = Math.min(
    Math.ceil(wanted(ctx) / (p.outputs * group)),
    Math.floor(length / (group * worth(ctx))),
  );
  const pieces = Math.max(1, forAccuracy, forSpeed);
  const chunk = Math.ceil(length / pieces);
  const chunks = Math.ceil(length / chunk);
  const partials = chunks > 1 ? ctx.scratch([p.outputs, chunks]) : null;
  const target = partials ?? p.y;
  const yStrides = partials ? contiguousStrides(p.keptShape).map((s) => s * chunks) : p.yStrides;
  const kept = collapse(p.keptShape, [p.xStrides, yStrides]);
  const grid = grid1d(p.outputs * chunks * group, workgroup);
  const launch: Launch = {
    shader: rowsShader,
    pieces: [lanesPiece(lanes), strided, nonfinite, ops, lanes === 4 ? across4 : across1],
    constants: {
      ...grid.constants,
      WORKGROUP: workgroup,
      // On a CPU each invocation walks a stretch of its own: neighbours gain nothing from reading together.
      RUN: ctx.facts.software ? Math.ceil(chunk / group) : 1,
      OUTPUTS: p.outputs,
      LENGTH: length,
      CHUNKS: chunks,
      CHUNK: chunk,
      GROUP: group,
      KEPT_SHAPE: walkShape(kept.shape, 1),
      REDUCED_SHAPE: walkShape(along.shape, lanes),
      X_OFFSET: x.layout.offset / lanes,
      X_KEPT_STRIDES: walkStrides(kept.strides[0] as readonly number[], 1).map((s) => s / lanes),
      X_REDUCED_STRIDES: walkStrides(along.strides[0] as readonly number[], lanes),
      Y_OFFSET: target.layout.offset,
      Y_STRIDES: walkStrides(kept.strides[1] as readonly number[], 1),
      Y_CHUNK: 1,
      OP: OPS.indexOf(p.op),
      SCALE: f32(partials ? 1 : p.scale),
    },
    bindings: readThenWrite([x], target),
    workgroups: grid.workgroups,
    variant: `${p.op} rows x${lanes}, ${group} a row${chunks > 1 ? `, ${chunks} chunks` : ''}`,
    flops: p.outputs * p.length,
    bytes: 4 * (numel(x.shape) + p.outputs * chunks),
  };
  return partials ? [launch, ...secondStage(p, partials, 1, ctx)] : [launch];
}

function columns(p: Problem, ctx: Lowering): Launch[] {
  const { x, along } = p;
  const direct = collapse(p.keptShape, [p.xStrides, p.yStrides]);
  const contiguous = contiguousStrides(p.keptShape);
  const scratched = collapse(p.keptShape, [p.xStrides, contiguous]);
  // The kept axes are walked in Vs, so the reduced ones must step by whole Vs.
  const steps = (along.strides[0] as readonly number[]).every((s) => s % 4 === 0);
  const lanesFor = (walk: Walk, target: number) => (steps ? lanesOf(walk, [x.layout.offset, target]) : 1);
  const vectors = p.outputs / lanesFor(direct, p.y.layout.offset);
  const forAccuracy = Math.ceil(p.length / SERIAL);
  const forSpeed = Math.min(Math.ceil(wanted(ctx) / vectors), Math.floor(p.length / worth(ctx)));
  const chunks = Math.max(1, forAccuracy, forSpeed);
  const partials = chunks > 1 ? ctx.scratch([chunks, p.outputs]) : null;
  const target = partials ?? p.y;
  const kept = partials ? scratched : direct;
  const lanes = lanesFor(kept, target.layout.offset);
  const outputs = p.outputs / lanes;
  const grid = grid1d(outputs * chunks, WORKGROUP);
  const launch: Launch = {
    shader: columnsShader,
    pieces: [lanesPiece(lanes), strided, nonfinite, ops],
    constants: {
      ...grid.constants,
      WORKGROUP,
      OUTPUTS: outputs,
      LENGTH: p.length,
      CHUNKS: chunks,
      KEPT_SHAPE: walkShape(kept.shape, lanes),
      REDUCED_SHAPE: walkShape(along.shape, 1),
      X_OFFSET: x.layout.offset / lanes,
      X_KEPT_STRIDES: walkStrides(kept.strides[0] as readonly number[], lanes),
      X_REDUCED_STRIDES: walkStrides(along.strides[0] as readonly number[], 1).map((s) => s / lanes),
      Y_OFFSET: target.layout.offset / lanes,
      Y_STRIDES: walkStrides(kept.strides[1] as readonly number[], lanes),
      Y_CHUNK: outputs,
      OP: OPS.indexOf(p.op),
      SCALE: f32(partials ? 1 : p.scale),
    },
    bindings: readThenWrite([x], target),
    workgroups: grid.workgroups,
    variant: `${p.op} columns x${lanes}${chunks > 1 ? `, ${chunks} chunks` : ''}`,
    flops: p.outputs * p.length,
    bytes: 4 * (numel(x.shape) + p.outputs * chunks),
  };
  return partials ? [launch, ...secondStage(p, partials, 0, ctx)] : [launch];
}

/** Combines the chunks' results, which lie along `axis` of `partials`, into y. */
function secondStage(p: Problem, partials: Operand, axis: 0 | 1, ctx: Lowering): Launch[] {
  // The same memory with the kept axes told apart, so that y may have any strides.
  const chunks = partials.shape[axis] as number;
  const shape = axis === 0 ? [chunks, ...p.keptShape] : [...p.keptShape, chunks];
  const operand: Operand = {
    ...partials,
    shape,
    layout: { offset: partials.layout.offset, strides: contiguousStrides(shape) },
  };
  const y: Operand = {
    ...p.y,
    shape: p.keptShape,
    layout: { offset: p.y.layout.offset, strides: p.yStrides },
  };
  return reduce(p.op, operand, y, [axis === 0 ? 0 : p.keptShape.length], p.scale, ctx);
}
