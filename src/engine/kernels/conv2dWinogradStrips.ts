/** Winograd's F(4,3) down the columns, for adapters that run on the CPU: winograd_strips.wgsl. */
import shader from '../../shaders/conv2d/winograd_strips.wgsl';
import pack from '../../shaders/conv2d/winograd_strips_pack.wgsl';
import type { DeviceFacts } from '../kernel.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import { type Conv2dProblem, f32AndF16 } from './conv2dProblem.js';
import { addsUp, lowerStrips, type StripsForm, supportsStrips } from './conv2dStrips.js';

const form: StripsForm = {
  name: 'winograd_strips',
  shader,
  pieces: [],
  pack,
  words: 144,
  packs: 6,
  columns: 8,
  tiles: 1,
  blocks: 1,
  uniform: true,
};

function supports(p: Conv2dProblem, facts: DeviceFacts, inChannels: number): boolean {
  const tiles = (h: number, w: number) => p.n * Math.ceil(h / 8) * Math.ceil(w / 8);
  const most = facts.limits.maxComputeWorkgroupsPerDimension;
  return (
    supportsStrips(p, facts) &&
    addsUp(form, p, inChannels) &&
    tiles(p.h, p.w) <= most &&
    tiles(p.oh, p.ow) <= most
  );
}

/**
 * Measured on llvmpipe beside strips (0.4): 1.01 to 1.08 times as fast with 16 channels, 1.06 to 1.12 with 32, 1.10 with 64, 1.04
 * with 128; with 3 the same, and a pipeline less to compile; with 256 it loses by 4%, for packing twice the weights.
 */
function share(channels: number): number {
  return channels <= 128 ? 0.42 : 0.38;
}

export const forwardWinogradStrips: ForwardVariant = {
  name: 'winograd_strips', // not form.name: to read a member is an effect, for all a bundler knows
  dtypes: f32AndF16,
  supports: (p, facts) => supports(p, facts, p.c),
  share: (p) => share(p.c),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(form, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

export const inputGradWinogradStrips: InputGradVariant = {
  name: 'winograd_strips', // not form.name: to read a member is an effect, for all a bundler knows
  dtypes: f32AndF16,
  supports: (p, facts) => supports(p, facts, p.k),
  share: (p) => share(p.k),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(form, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};
