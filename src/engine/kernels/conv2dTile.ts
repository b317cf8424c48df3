/** Lowering of tile.wgsl and weight_grad_tile.wgsl: convolutions without padding, by each invocation in its own registers. */
import tile from '../../shaders/conv2d/tile.wgsl';
import weightGradTile from '../../shaders/conv2d/weight_grad_tile.wgsl';
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
  return (software ? 0.1 : 0.08) * filled(m, BLOCK);
}

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerTile(
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const blocks = Math.ceil(matrixSize(p, backward).m / BLOCK);
  const form: MatrixForm = {
    shader: tile,
    rows: BLOCK,
    blocks,
    own: [0, 0],
    workgroups: [tileGroups(p), blocks, 1],
    variant: 'tile 4x16',
  };
  return matrixProduct(form, p, io, backward, epilogue, ctx);
}

/** Invocations wanted in all, so that every core has work; more would only add partial sums. */
const INVOCATIONS = 2048;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradTile(p: Conv2dProblem, io: WeightGradPartsOperands, ctx: Lowering): Launch[] {
  const across = Math.ceil((p.c * p.kh * p.kw) / BLOCK);
  const down = Math.ceil(p.k / 4);
  const rows = p.n * p.oh;
  const run = Math.ceil(rows / Math.min(rows, Math.ceil(INVOCATIONS / (across * down))));
  const parts = Math.ceil(rows / run);
  const form: MatrixWeightGradForm = {
    shader: weightGradTile,
    run,
    parts,
    workgroups: [Math.ceil(parts / 8), across, down],
    variant: 'tile 4x16',
  };
  return matrixWeightGrad(form, p, io, ctx);
}
