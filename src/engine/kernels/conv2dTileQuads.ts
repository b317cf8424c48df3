/** Lowering of tile_quads.wgsl and weight_grad_tile_quads.wgsl: tile.wgsl for adapters on the CPU with subgroups of 4. */
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import tileQuads from '../../shaders/conv2d/tile_quads.wgsl';
import weightGradTileQuads from '../../shaders/conv2d/weight_grad_tile_quads.wgsl';
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

/** Rows of m that a lane computes; a quad computes two such groups. */
const GROUP = 16;

/** Workgroups of a dispatch along an axis, which WebGPU promises. */
const MOST = 65535;

export function supportsTileQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(facts) && isMatrix(p) && fits(p, false);
}

export function supportsTileQuadsBackward(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(facts) && isMatrixBackward(p) && fits(p, true);
}

export function supportsWeightGradTileQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(facts) && isMatrix(p) && pairs(p.c * p.kh * p.kw) <= MOST && pairs(p.k) <= MOST;
}

/** Whether subgroups are quads, in which a swap costs next to nothing on the CPU. */
function suits(facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 4;
}

function fits(p: Conv2dProblem, backward: boolean): boolean {
  return workgroups(p) <= MOST && pairs(matrixSize(p, backward).m) <= MOST;
}

/** Pairs of groups, of which a quad computes one. */
function pairs(m: number): number {
  return Math.ceil(m / (2 * GROUP));
}

/** Of the ceiling, where `m` rows of the 32 of a quad are used. */
export function tileQuadsShare(m: number): number {
  return (0.25 * m) / (pairs(m) * 2 * GROUP);
}

/** Quads in a row of the smaller image. */
function across(p: Conv2dProblem): number {
  return Math.ceil(p.ow / 8);
}

/** Quads in an image. */
function tiles(p: Conv2dProblem): number {
  return across(p) * Math.ceil(p.oh / 4);
}

function workgroups(p: Conv2dProblem): number {
  return Math.ceil((p.n * tiles(p)) / 16);
}

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerTileQuads(
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const { r, m } = matrixSize(p, backward);
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const part = { rows: GROUP, block: 0, blocks: 2 * pairs(m), first: 0, count: r };
  const packed = ctx.scratch([packedWords(part)]);
  const own = [across(p), tiles(p)] as const;
  const { launch, words } = packMatrix(p, io, backward, part, packed, parts.words, own, ctx);
  return [
    launch,
    {
      shader: tileQuads,
      pieces: [sizesPiece, ...parts.pieces],
      constants: { IN_TYPE: storedType(io.input), OUT_TYPE: storedType(io.output), ...parts.constants },
      bindings: [
        bind(0, io.input, 'read'),
        bind(1, packed, 'read'),
        bind(2, io.output, 'write'),
        bind(3, words, 'uniform'),
        ...parts.bindings,
      ],
      workgroups: [workgroups(p), pairs(m), 1],
      variant: `quads 4x8x32${parts.label}`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
}

/** Quads wanted in all, so that every core has work; more would only add partial sums. */
const QUADS = 128;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradTileQuads(
  p: Conv2dProblem,
  io: { readonly x: Operand; readonly gy: Operand; readonly gw: Operand },
  ctx: Lowering,
): Launch[] {
  const m = p.c * p.kh * p.kw;
  const rows = p.n * p.oh;
  const run = Math.ceil(rows / Math.min(rows, Math.ceil(QUADS / (pairs(m) * pairs(p.k)))));
  const parts = Math.ceil(rows / run);
  const count = p.k * m;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const words = ctx.constant(weightGradWords(p, io, sums, run, parts));
  const launches: Launch[] = [
    {
      shader: weightGradTileQuads,
      pieces: [sizesPiece],
      constants: { X_TYPE: storedType(io.x), GY_TYPE: storedType(io.gy) },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, words, 'uniform'),
      ],
      workgroups: [Math.ceil(parts / 4), pairs(m), pairs(p.k)],
      variant: `quads 32x32, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}
