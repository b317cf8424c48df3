/** Lowering of tile.wgsl and weight_grad_tile.wgsl: convolutions without padding, by each invocation in its own registers. */
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import tile from '../../shaders/conv2d/tile.wgsl';
import weightGradTile from '../../shaders/conv2d/weight_grad_tile.wgsl';
import { type DeviceFacts, type Launch, type Lowering, type Operand, storedType } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import {
  isMatrix,
  isMatrixBackward,
  type MatrixOperands,
  matrixSize,
  packedWords,
  packMatrix,
  weightGradWords,
} from './conv2dMatrix.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops } from './conv2dProblem.js';

/** Rows of m that an invocation computes. */
const BLOCK = 16;

/** Workgroups of a dispatch along an axis, which WebGPU promises. */
const MOST = 65535;

export function supportsTile(p: Conv2dProblem): boolean {
  return isMatrix(p) && fits(p, false);
}

export function supportsTileBackward(p: Conv2dProblem): boolean {
  return isMatrixBackward(p) && fits(p, true);
}

export function supportsWeightGradTile(p: Conv2dProblem): boolean {
  return isMatrix(p) && Math.ceil((p.c * p.kh * p.kw) / BLOCK) <= MOST && Math.ceil(p.k / 4) <= MOST;
}

function fits(p: Conv2dProblem, backward: boolean): boolean {
  return tileGroups(p) <= MOST && Math.ceil(matrixSize(p, backward).m / BLOCK) <= MOST;
}

function tileGroups(p: Conv2dProblem): number {
  return Math.ceil((p.n * Math.ceil(p.oh / 4) * p.ow) / 64);
}

/** Of the ceiling, where `m` of the 16 rows of a block are used. */
export function tileShare(m: number, { software }: DeviceFacts): number {
  return ((software ? 0.1 : 0.08) * m) / (Math.ceil(m / BLOCK) * BLOCK);
}

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerTile(
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const { r, m } = matrixSize(p, backward);
  const blocks = Math.ceil(m / BLOCK);
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const part = { rows: BLOCK, block: 0, blocks, first: 0, count: r };
  const packed = ctx.scratch([packedWords(part)]);
  const { launch, words } = packMatrix(p, io, backward, part, packed, parts.words, [0, 0], ctx);
  return [
    launch,
    {
      shader: tile,
      pieces: [sizesPiece, ...parts.pieces],
      constants: { IN_TYPE: storedType(io.input), OUT_TYPE: storedType(io.output), ...parts.constants },
      bindings: [
        bind(0, io.input, 'read'),
        bind(1, packed, 'read'),
        bind(2, io.output, 'write'),
        bind(3, words, 'uniform'),
        ...parts.bindings,
      ],
      workgroups: [tileGroups(p), blocks, 1],
      variant: `tile 4x16${parts.label}`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
}

/** Invocations wanted in all, so that every core has work; more would only add partial sums. */
const INVOCATIONS = 2048;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradTile(
  p: Conv2dProblem,
  io: { readonly x: Operand; readonly gy: Operand; readonly gw: Operand },
  ctx: Lowering,
): Launch[] {
  const m = p.c * p.kh * p.kw;
  const tiles = Math.ceil(m / BLOCK) * Math.ceil(p.k / 4);
  const rows = p.n * p.oh;
  const run = Math.ceil(rows / Math.min(rows, Math.ceil(INVOCATIONS / tiles)));
  const parts = Math.ceil(rows / run);
  const count = p.k * m;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const words = ctx.constant(weightGradWords(p, io, sums, run, parts));
  const launches: Launch[] = [
    {
      shader: weightGradTile,
      pieces: [sizesPiece],
      constants: { X_TYPE: storedType(io.x), GY_TYPE: storedType(io.gy) },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, words, 'uniform'),
      ],
      workgroups: [Math.ceil(parts / 8), Math.ceil(m / BLOCK), Math.ceil(p.k / 4)],
      variant: `tile 4x16, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}
