/** The weight gradient by Winograd's F(2x2,3x3), turned over: see winograd_f2.wgsl. For GPUs. */
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import gemm from '../../shaders/conv2d/winograd_gemm_weight.wgsl';
import inputPass from '../../shaders/conv2d/winograd_input.wgsl';
import slopePass from '../../shaders/conv2d/winograd_slope.wgsl';
import tapsPass from '../../shaders/conv2d/winograd_taps.wgsl';
import type { Launch } from '../kernel.js';
import { bind, operandBytes, sizeWords } from './conv2dProblem.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import {
  F2,
  roundUp,
  slices,
  supportsWinograd,
  tilesOf,
  winogradShare,
  winogradWords,
} from './conv2dWinograd.js';

const PLACES = 16;
/** Workgroups wanted for the products, so that a large GPU is busy. */
const WORKGROUPS = 1024;
/** Bytes that the parts' sums may have together. */
const SUMS = 32 << 20;

export const weightGradWinograd2: WeightGradVariant = {
  name: 'winograd2',
  supports: (p, facts) => supportsWinograd(p, facts, F2),
  share: (p, facts) => winogradShare(p, facts, F2),
  lower(p, io, ctx) {
    const channels = roundUp(p.c, 64);
    const outChannels = roundUp(p.k, 64);
    const tiles = tilesOf(io.gy, F2);
    // A power of two, so that a slice's tiles, rounded up, divide by it.
    const wanted = Math.min(
      WORKGROUPS / (((PLACES * channels) / 64) * (outChannels / 64)),
      SUMS / (4 * PLACES * channels * outChannels),
      tiles / 64,
    );
    const parts = 2 ** Math.max(0, Math.floor(Math.log2(wanted)));
    const { count, each } = slices(tiles, Math.max(channels, outChannels), F2.side, Math.max(64, 16 * parts));
    const v = ctx.scratch([PLACES, channels, each]);
    const w = ctx.scratch([PLACES, outChannels, each]);
    const sums = ctx.scratch([parts, PLACES, outChannels, channels]);
    const launches: Launch[] = [];
    for (let first = 0; first < tiles; first += each) {
      const { words } = winogradWords(
        { input: io.x, output: io.gy },
        F2,
        [p.ph, p.pw],
        channels,
        { first, each },
        [0, io.gw.layout.offset, first > 0 ? 1 : 0, parts],
      );
      const sizes = bind(3, ctx.constant(sizeWords(words)), 'uniform');
      const here = Math.min(each, tiles - first);
      const pixels = 4 * here * F2.tile ** 2; // bytes of a channel
      launches.push(
        {
          shader: inputPass,
          pieces: [F2.piece, sizesPiece],
          constants: {},
          bindings: [bind(0, io.x, 'read'), bind(1, v, 'write'), sizes],
          workgroups: [each / 64, channels, 1],
          variant: 'winograd2 tiles',
          flops: 0,
          bytes: p.c * pixels + 4 * PLACES * channels * each,
        },
        {
          shader: slopePass,
          pieces: [F2.piece, sizesPiece],
          constants: {},
          bindings: [bind(0, io.gy, 'read'), bind(1, w, 'write'), sizes],
          workgroups: [each / 64, outChannels, 1],
          variant: 'winograd2 gradient tiles',
          flops: 0,
          bytes: p.k * pixels + 4 * PLACES * outChannels * each,
        },
        {
          shader: gemm,
          pieces: [sizesPiece],
          constants: {},
          bindings: [bind(0, w, 'read'), bind(1, v, 'read'), bind(2, sums, 'read_write'), sizes],
          workgroups: [channels / 64, outChannels / 64, PLACES * parts],
          variant: `winograd2 64x64x16, ${parts} parts${count > 1 ? `, ${count} slices` : ''}`,
          flops: 2 * 9 * p.c * p.k * here * F2.tile ** 2,
          bytes: operandBytes(w, v, sums),
        },
      );
      if (first + each >= tiles) {
        launches.push({
          shader: tapsPass,
          pieces: [F2.piece, sizesPiece],
          constants: {},
          bindings: [bind(0, sums, 'read'), bind(1, io.gw, 'write'), sizes],
          workgroups: [channels / 64, p.k, 1],
          variant: 'winograd2 taps',
          flops: 0,
          bytes: operandBytes(sums, io.gw),
        });
      }
    }
    return launches;
  },
};
