/** The weight gradient by Winograd's F(2x2,3x3) and F(4x4,3x3), turned over: see winograd_f2_weight.wgsl. For GPUs. */
import outerProduct from '../../shaders/conv2d/outer_product.wgsl';
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import f2Weight from '../../shaders/conv2d/winograd_f2_weight.wgsl';
import f4Weight from '../../shaders/conv2d/winograd_f4_weight.wgsl';
import gemm from '../../shaders/conv2d/winograd_gemm_weight.wgsl';
import inputPass from '../../shaders/conv2d/winograd_input.wgsl';
import slopePass from '../../shaders/conv2d/winograd_slope.wgsl';
import tapsPass from '../../shaders/conv2d/winograd_taps.wgsl';
import { elementBytes, type Launch, type Shader, storedType } from '../kernel.js';
import { bind, f32AndF16, operandBytes, sizeWords } from './conv2dProblem.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import {
  F2,
  F4,
  roundUp,
  slices,
  supportsWinograd,
  tilesOf,
  type WinogradForm,
  winogradShare,
  winogradWords,
} from './conv2dWinograd.js';
import { loopPiece } from './gemmDevice.js';

/** Workgroups wanted for the products, so that a large GPU is busy. */
const WORKGROUPS = 1024;
/** Bytes that the parts' sums may have together. */
const SUMS = 32 << 20;

/** `turned`: the form's piece for the weight gradient. */
function weightGrad(name: string, form: WinogradForm, turned: Shader): WeightGradVariant {
  const places = form.side ** 2;
  return {
    name,
    dtypes: f32AndF16,
    supports: (p, facts) => supportsWinograd(p, facts, form),
    share: (p, facts) => winogradShare(p, facts, form, 64),
    lower(p, io, ctx) {
      const channels = roundUp(p.c, 64);
      const outChannels = roundUp(p.k, 64);
      const tiles = tilesOf(io.gy, form);
      // A power of two, so that a slice's tiles, rounded up, divide by it.
      const full = WORKGROUPS / (((places * channels) / 64) * (outChannels / 64));
      const most = Math.min(
        2 ** Math.round(Math.log2(full)),
        SUMS / (4 * places * channels * outChannels),
        tiles / 64,
      );
      const parts = 2 ** Math.max(0, Math.floor(Math.log2(most)));
      const { count, each } = slices(
        tiles,
        Math.max(channels, outChannels),
        form.side,
        Math.max(64, 16 * parts),
      );
      const v = ctx.scratch([places, channels, each]);
      const w = ctx.scratch([places, outChannels, each]);
      const sums = ctx.scratch([parts, places, outChannels, channels]);
      const launches: Launch[] = [];
      for (let first = 0; first < tiles; first += each) {
        const { words } = winogradWords(
          { input: io.x, output: io.gy },
          form,
          [p.ph, p.pw],
          channels,
          { first, each },
          [0, io.gw.layout.offset, first > 0 ? 1 : 0, parts],
        );
        const sizes = bind(3, ctx.constant(sizeWords(words)), 'uniform');
        const here = Math.min(each, tiles - first);
        const pixels = here * form.tile ** 2; // of a channel
        launches.push(
          {
            shader: inputPass,
            pieces: [form.piece, sizesPiece],
            constants: { IN_TYPE: storedType(io.x) },
            bindings: [bind(0, io.x, 'read'), bind(1, v, 'write'), sizes],
            workgroups: [each / 64, channels, 1],
            variant: `${name} tiles`,
            flops: 0,
            bytes: elementBytes(io.x.dtype) * p.c * pixels + 4 * places * channels * each,
          },
          {
            shader: slopePass,
            pieces: [form.piece, turned, sizesPiece],
            constants: { GY_TYPE: storedType(io.gy) },
            bindings: [bind(0, io.gy, 'read'), bind(1, w, 'write'), sizes],
            workgroups: [each / 64, outChannels, 1],
            variant: `${name} gradient tiles`,
            flops: 0,
            bytes: elementBytes(io.gy.dtype) * p.k * pixels + 4 * places * outChannels * each,
          },
          {
            shader: gemm,
            pieces: [form.piece, outerProduct, sizesPiece, loopPiece(ctx.facts)],
            constants: {},
            bindings: [bind(0, w, 'read'), bind(1, v, 'read'), bind(2, sums, 'read_write'), sizes],
            workgroups: [channels / 64, outChannels / 64, places * parts],
            variant: `${name} 64x64x16, ${parts} parts${count > 1 ? `, ${count} slices` : ''}`,
            flops: 2 * 9 * p.c * p.k * here * form.tile ** 2,
            bytes: operandBytes(w, v, sums),
          },
        );
        if (first + each >= tiles) {
          launches.push({
            shader: tapsPass,
            pieces: [form.piece, turned, sizesPiece],
            constants: {},
            bindings: [bind(0, sums, 'read'), bind(1, io.gw, 'write'), sizes],
            workgroups: [channels / 64, p.k, 1],
            variant: `${name} taps`,
            flops: 0,
            bytes: operandBytes(sums, io.gw),
          });
        }
      }
      return launches;
    },
  };
}

export const weightGradWinograd2 = /* @__PURE__ */ weightGrad('winograd2', F2, f2Weight);
export const weightGradWinograd4 = /* @__PURE__ */ weightGrad('winograd4', F4, f4Weight);
