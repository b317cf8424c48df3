/** Convolution kernels for adapters that run on the CPU, which pages on a GPU need not carry. */
import biasGradRuns from '../../shaders/conv2d/bias_grad_runs.wgsl';
import { shippedTable } from '../tuning/shipped.js';
import type { BiasGradKernel } from './conv2dBiasGrad.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import {
  lowerPatches,
  lowerWeightGradPatches,
  patchesShare,
  supportsPatches,
  supportsPatchesBackward,
  supportsPatchesForward,
  weightGradPatchesShare,
} from './conv2dPatches.js';
import { f32AndF16, filled } from './conv2dProblem.js';
import {
  addsUp,
  largeBlocks,
  lowerStrips,
  plainStrips,
  quads,
  supportsLargeBlocks,
  supportsQuads,
  supportsStrips,
} from './conv2dStrips.js';
import {
  lowerWeightGradLargeBlocks,
  lowerWeightGradQuads,
  lowerWeightGradStrips,
  supportsWeightGradQuads,
  supportsWeightGradStrips,
} from './conv2dStripsWeight.js';
import {
  lowerTileQuads,
  lowerWeightGradTileQuads,
  supportsTileQuads,
  supportsTileQuadsBackward,
  supportsWeightGradTileQuads,
  tileQuadsShare,
} from './conv2dTileQuads.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import {
  forwardWinogradLanes,
  forwardWinogradLanes8,
  forwardWinogradStrips,
  inputGradWinogradLanes,
  inputGradWinogradLanes8,
  inputGradWinogradStrips,
} from './conv2dWinogradStrips.js';
import type { MoreKernels } from './moreKernels.js';

const forwardLargeBlock: ForwardVariant = {
  name: 'block8',
  supports: supportsLargeBlocks,
  share: (_, { software }) => (software ? 0.2 : 0.02),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(largeBlocks, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

/** A quad computes 16 channels, however many there are. Measured on SwiftShader: half of the ceiling where all are there. */
const quadsShare = (channels: number): number => 0.48 * filled(channels, 16);

const forwardQuads: ForwardVariant = {
  name: 'quads',
  supports: supportsQuads,
  share: (p, { software }) => (software ? quadsShare(p.k) : 0.02),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(quads, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

const forwardStrips: ForwardVariant = {
  name: 'strips',
  dtypes: f32AndF16,
  supports: (p, facts) => supportsStrips(p, facts) && addsUp(plainStrips, p, p.c),
  share: () => 0.4,
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(plainStrips, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

const forwardPatches: ForwardVariant = {
  name: 'patches',
  dtypes: f32AndF16,
  supports: supportsPatchesForward,
  share: (p) => patchesShare(p.k),
  lower: (p, io, epilogue, ctx) =>
    lowerPatches(p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

const forwardTileQuads: ForwardVariant = {
  name: 'tile_quads',
  dtypes: f32AndF16,
  supports: supportsTileQuads,
  share: (p) => tileQuadsShare(p.k),
  lower: (p, io, epilogue, ctx) =>
    lowerTileQuads(p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

const inputGradLargeBlock: InputGradVariant = {
  name: 'block8',
  supports: supportsLargeBlocks,
  share: (_, { software }) => (software ? 0.2 : 0.02),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(largeBlocks, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

const inputGradQuads: InputGradVariant = {
  name: 'quads',
  supports: supportsQuads,
  share: (p, { software }) => (software ? quadsShare(p.c) : 0.02),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(quads, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

const inputGradStrips: InputGradVariant = {
  name: 'strips',
  dtypes: f32AndF16,
  supports: (p, facts) => supportsStrips(p, facts) && addsUp(plainStrips, p, p.k),
  share: () => 0.4,
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(plainStrips, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

const inputGradPatches: InputGradVariant = {
  name: 'patches',
  dtypes: f32AndF16,
  supports: supportsPatchesBackward,
  share: (p) => patchesShare(p.c * p.kh * p.kw),
  lower: (p, io, epilogue, ctx) =>
    lowerPatches(p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

const inputGradTileQuads: InputGradVariant = {
  name: 'tile_quads',
  dtypes: f32AndF16,
  supports: supportsTileQuadsBackward,
  share: (p) => tileQuadsShare(p.c * p.kh * p.kw),
  lower: (p, io, epilogue, ctx) =>
    lowerTileQuads(p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

const weightGradLargeBlock: WeightGradVariant = {
  name: 'block8',
  supports: supportsLargeBlocks,
  // A block has 4 input channels, however many there are.
  share: (p, { software }) => (software ? 0.2 : 0.02) * filled(p.c, 4),
  lower: lowerWeightGradLargeBlocks,
};

const weightGradStrips: WeightGradVariant = {
  name: 'strips',
  dtypes: f32AndF16,
  supports: supportsWeightGradStrips,
  share: () => 0.38,
  lower: lowerWeightGradStrips,
};

const weightGradQuads: WeightGradVariant = {
  name: 'quads',
  dtypes: f32AndF16,
  supports: supportsWeightGradQuads,
  // A quad computes 16 output and 8 input channels, however many there are.
  share: (p) => 0.48 * filled(p.k, 16) * filled(p.c, 8),
  lower: lowerWeightGradQuads,
};

const weightGradPatches: WeightGradVariant = {
  name: 'patches',
  dtypes: f32AndF16,
  supports: supportsPatches,
  share: (p) => weightGradPatchesShare(p.c * p.kh * p.kw, p.k),
  lower: lowerWeightGradPatches,
};

const weightGradTileQuads: WeightGradVariant = {
  name: 'tile_quads',
  dtypes: f32AndF16,
  supports: supportsWeightGradTileQuads,
  share: (p) => tileQuadsShare(p.c * p.kh * p.kw) * filled(p.k, 32),
  lower: lowerWeightGradTileQuads,
};

/** An invocation a run: no barriers, which are dear on the CPU. */
const biasGradInRuns: BiasGradKernel = {
  shader: biasGradRuns,
  unit: 4,
  least: 64,
  lanes: 128,
  workgroups: (channels, parts) => [Math.ceil((channels * parts) / 8), 1, 1],
};

/**
 * For `openDevice`, and for plans without a device: several times as fast on llvmpipe and SwiftShader as what every plan
 * has. On a GPU a plan takes none of them by itself.
 */
export const softwareKernels: MoreKernels = {
  conv2d: [
    forwardPatches,
    forwardTileQuads,
    forwardLargeBlock,
    forwardQuads,
    forwardStrips,
    forwardWinogradStrips,
    forwardWinogradLanes8,
    forwardWinogradLanes,
  ],
  conv2dInputGrad: [
    inputGradPatches,
    inputGradTileQuads,
    inputGradLargeBlock,
    inputGradQuads,
    inputGradStrips,
    inputGradWinogradStrips,
    inputGradWinogradLanes8,
    inputGradWinogradLanes,
  ],
  conv2dWeightGrad: [
    weightGradPatches,
    weightGradTileQuads,
    weightGradLargeBlock,
    weightGradStrips,
    weightGradQuads,
  ],
  conv2dBiasGrad: ({ software }) => (software ? biasGradInRuns : undefined),
  table: shippedTable,
};
