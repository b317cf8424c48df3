/** Lowering of tile_quads.wgsl and weight_grad_tile_quads.wgsl: tile.wgsl for adapters on the CPU with subgroups of 4. */
import tileQuads from '../../shaders/conv2d/tile_quads.wgsl';
import weightGradTileQuads from '../../shaders/conv2d/weight_grad_tile_quads.wgsl';
import type { DeviceFacts, Launch, Lowering } from '../kernel.js';
import type { Epilogue } from './conv2dEpilogue.js';
import {
  isMatrix,
  isMatrixBackward,
  type MatrixForm,
  type MatrixOperands,
  matrixProduct,
  matrixSize,
} from './conv2dMatrix.js';
import { type MatrixWeightGradForm, matrixWeightGrad } from './conv2dMatrixWeight.js';
import { type Conv2dProblem, filled } from './conv2dProblem.js';
import type { WeightGradPartsOperands } from './conv2dWeightGradParts.js';

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
  return 0.25 * filled(m, 2 * GROUP);
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
  const { m } = matrixSize(p, backward);
  const form: MatrixForm = {
    shader: tileQuads,
    rows: GROUP,
    blocks: 2 * pairs(m),
    own: [across(p), tiles(p)],
    workgroups: [workgroups(p), pairs(m), 1],
    variant: 'quads 4x8x32',
  };
  return matrixProduct(form, p, io, backward, epilogue, ctx);
}

/** Quads wanted in all, so that every core has work; more would only add partial sums. */
const QUADS = 128;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradTileQuads(
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  ctx: Lowering,
): Launch[] {
  const blocks = pairs(p.c * p.kh * p.kw);
  const rows = p.n * p.oh;
  const run = Math.ceil(rows / Math.min(rows, Math.ceil(QUADS / (blocks * pairs(p.k)))));
  const parts = Math.ceil(rows / run);
  const form: MatrixWeightGradForm = {
    shader: weightGradTileQuads,
    run,
    parts,
    workgroups: [Math.ceil(parts / 4), blocks, pairs(p.k)],
    variant: 'quads 32x32',
  };
  return matrixWeightGrad(form, p, io, ctx);
}
