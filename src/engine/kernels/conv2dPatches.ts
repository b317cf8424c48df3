/** Lowering of patches.wgsl: convolutions without padding on adapters that run on the CPU. */
import patches from '../../shaders/conv2d/patches.wgsl';
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import weightGradPatches from '../../shaders/conv2d/weight_grad_patches.wgsl';
import { type DeviceFacts, type Launch, type Lowering, storedType } from '../kernel.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import { isMatrix, isMatrixBackward, type MatrixOperands, matrixSize, packMatrix } from './conv2dMatrix.js';
import { type MatrixWeightGradForm, matrixWeightGrad } from './conv2dMatrixWeight.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops, filled } from './conv2dProblem.js';
import type { WeightGradPartsOperands } from './conv2dWeightGradParts.js';

/** Words of the uniform buffer that patches.wgsl declares: the least that WebGPU promises. */
const UNIFORM = 16384;
/** Rows of m that a subgroup computes; of the weight gradient output channels too. */
const BLOCK = 32;
/** Most r of a launch: weights of one block with its tables must fit the buffer. */
const CHUNK = Math.floor((UNIFORM - 2 * BLOCK) / (BLOCK + 1) / 4) * 4;

/** Whether the adapter is one that patches are made for. */
function suits(facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8;
}

/** Chunks add up in the output, which f16 is too coarse for. */
function addsUp(p: Conv2dProblem, backward: boolean): boolean {
  return p.dtype !== 'f16' || matrixSize(p, backward).r <= CHUNK;
}

export function supportsPatchesForward(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return supportsPatches(p, facts) && addsUp(p, false);
}

export function supportsPatches(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(facts) && isMatrix(p);
}

export function supportsPatchesBackward(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(facts) && isMatrixBackward(p) && addsUp(p, true);
}

/** Of the ceiling, where `m` rows of the 32 of a block are used. */
export function patchesShare(m: number): number {
  return 0.3 * filled(m, BLOCK);
}

/** Of the ceiling, for the weight gradient of `k` output channels by `m` values: a subgroup has a block of each. */
export function weightGradPatchesShare(m: number, k: number): number {
  return 0.22 * filled(m, BLOCK) * filled(k, BLOCK);
}

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerPatches(
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const { r, m } = matrixSize(p, backward);
  const across = Math.ceil(p.ow / 8);
  const tiles = across * Math.ceil(p.oh / 4);
  const blocks = Math.ceil(m / BLOCK);
  const chunk = Math.ceil(r / Math.ceil(r / CHUNK) / 4) * 4;
  const together = Math.min(blocks, Math.floor((UNIFORM - chunk) / (2 * BLOCK + chunk * BLOCK)));
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const launches: Launch[] = [];
  for (let block = 0; block < blocks; block += together) {
    const some = Math.min(together, blocks - block);
    for (let first = 0; first < r; first += chunk) {
      const part = { rows: BLOCK, block, blocks: some, first, count: Math.min(chunk, r - first) };
      const share = (some / blocks) * (part.count / r);
      const packed = ctx.scratch([UNIFORM]);
      const { launch, words } = packMatrix(p, io, backward, part, packed, parts.words, [across, tiles], ctx);
      launches.push(launch, {
        shader: patches,
        pieces: [sizesPiece, ...parts.pieces],
        constants: {
          IN_TYPE: storedType(io.input),
          OUT_TYPE: storedType(io.output),
          // One or more: so that one pipeline serves all layers that have no more than one.
          CHUNKS: Math.min(2, Math.ceil(r / chunk)),
          ...parts.constants,
        },
        bindings: [
          bind(0, io.input, 'read'),
          bind(1, packed, 'uniform'),
          bind(2, io.output, chunk < r ? 'read_write' : 'write'),
          bind(3, words, 'uniform'),
          ...parts.bindings,
        ],
        workgroups: [Math.ceil((p.n * tiles) / 4), some, 1],
        variant: `patches 8x4x32${parts.label}`,
        flops: conv2dFlops(p) * share,
        bytes: conv2dBytes(p) * share,
      });
    }
  }
  return launches;
}

/** Subgroups wanted in all, so that every core has work; more would only add partial sums. */
const SUBGROUPS = 128;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradPatches(
  p: Conv2dProblem,
  io: WeightGradPartsOperands,
  ctx: Lowering,
): Launch[] {
  const pixels = p.n * p.oh * p.ow;
  const inBlocks = Math.ceil((p.c * p.kh * p.kw) / BLOCK);
  const outBlocks = Math.ceil(p.k / BLOCK);
  const wanted = Math.max(1, Math.ceil(SUBGROUPS / (inBlocks * outBlocks)));
  const run = Math.ceil(pixels / wanted / 2) * 2;
  const parts = Math.ceil(pixels / run);
  const form: MatrixWeightGradForm = {
    shader: weightGradPatches,
    run,
    parts,
    workgroups: [Math.ceil((parts * inBlocks) / 4), outBlocks, 1],
    variant: 'patches 32x32',
  };
  return matrixWeightGrad(form, p, io, ctx);
}
