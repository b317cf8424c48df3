/** Winograd's F(4,3) down the columns, for adapters that run on the CPU: winograd_strips.wgsl, winograd_lanes.wgsl. */
import pair from '../../shaders/conv2d/lanes_pair.wgsl';
import single from '../../shaders/conv2d/lanes_single.wgsl';
import tapsPack from '../../shaders/conv2d/strips_pack.wgsl';
import pixels from '../../shaders/conv2d/strips_pixels.wgsl';
import store from '../../shaders/conv2d/strips_store.wgsl';
import lanes from '../../shaders/conv2d/winograd_lanes.wgsl';
import strips from '../../shaders/conv2d/winograd_strips.wgsl';
import stripsPack from '../../shaders/conv2d/winograd_strips_pack.wgsl';
import type { DeviceFacts } from '../kernel.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import { type Conv2dProblem, f32AndF16, filled } from './conv2dProblem.js';
import { addsUp, lowerStrips, type StripsForm, supportsStrips } from './conv2dStrips.js';

const stripsForm: StripsForm = {
  name: 'winograd_strips',
  shader: strips,
  pieces: [pixels, store],
  pack: stripsPack,
  packConstants: {},
  words: 144,
  columns: 8,
  tiles: 1,
  blocks: 1,
  uniform: [1],
};

const lanesForm: StripsForm = {
  name: 'winograd_lanes',
  shader: lanes,
  pieces: [pixels, store, pair],
  pack: tapsPack,
  packConstants: { TOGETHER: 4 },
  words: 96,
  columns: 8,
  tiles: 1,
  blocks: 2,
  uniform: [1, 4],
};

const lanes8Form: StripsForm = {
  name: 'winograd_lanes8',
  shader: lanes,
  pieces: [pixels, store, single],
  pack: tapsPack,
  packConstants: { TOGETHER: 4 },
  words: 96,
  columns: 8,
  tiles: 1,
  blocks: 1,
  uniform: [1],
};

function supports(form: StripsForm, p: Conv2dProblem, facts: DeviceFacts, inChannels: number): boolean {
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
 * Measured on llvmpipe beside strips (0.4): 1.01 to 1.08 times as fast with 16 input channels, 1.06 to 1.12 with 32, 1.10 with 64,
 * 1.04 with 128; with 3 the same.
 */
function stripsShare(channels: number): number {
  return channels <= 128 ? 0.42 : 0.38;
}

/**
 * A subgroup computes 16 output channels, however many there are. Measured on llvmpipe beside winograd_strips: 0.55 to 0.7 of its
 * time where all are there.
 */
function lanesShare(outChannels: number): number {
  return 0.6 * filled(outChannels, 16);
}

/** Measured on llvmpipe beside winograd_strips: 0.79 to 0.91 of its time with 8 output channels, 0.70 to 0.86 with 16. */
const LANES8_SHARE = 0.5;

// Names are written out: to read a member of a form is an effect, for all a bundler knows.
export const forwardWinogradStrips: ForwardVariant = {
  name: 'winograd_strips',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(stripsForm, p, facts, p.c),
  share: (p) => stripsShare(p.c),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(stripsForm, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

export const inputGradWinogradStrips: InputGradVariant = {
  name: 'winograd_strips',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(stripsForm, p, facts, p.k),
  share: (p) => stripsShare(p.k),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(stripsForm, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

export const forwardWinogradLanes: ForwardVariant = {
  name: 'winograd_lanes',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(lanesForm, p, facts, p.c),
  share: (p) => lanesShare(p.k),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(lanesForm, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

export const inputGradWinogradLanes: InputGradVariant = {
  name: 'winograd_lanes',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(lanesForm, p, facts, p.k),
  share: (p) => lanesShare(p.c),
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(lanesForm, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

export const forwardWinogradLanes8: ForwardVariant = {
  name: 'winograd_lanes8',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(lanes8Form, p, facts, p.c),
  share: () => LANES8_SHARE,
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(lanes8Form, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

export const inputGradWinogradLanes8: InputGradVariant = {
  name: 'winograd_lanes8',
  dtypes: f32AndF16,
  supports: (p, facts) => supports(lanes8Form, p, facts, p.k),
  share: () => LANES8_SHARE,
  lower: (p, io, epilogue, ctx) =>
    lowerStrips(lanes8Form, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};
