/**
 * Winograd's F(2x2,3x3) and F(4x4,3x3) in passes: filters, input tiles, a matrix product for each place of the transform's
 * domain, output tiles. For GPUs.
 */
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import f2 from '../../shaders/conv2d/winograd_f2.wgsl';
import f4 from '../../shaders/conv2d/winograd_f4.wgsl';
import filterPass from '../../shaders/conv2d/winograd_filter.wgsl';
import gemm from '../../shaders/conv2d/winograd_gemm.wgsl';
import inputPass from '../../shaders/conv2d/winograd_input.wgsl';
import outputPass from '../../shaders/conv2d/winograd_output.wgsl';
import {
  type DeviceFacts,
  elementBytes,
  type Launch,
  type Lowering,
  type Operand,
  type Shader,
  storedType,
} from '../kernel.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import type { ForwardVariant } from './conv2dForward.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import {
  bind,
  type Conv2dProblem,
  f32AndF16,
  join,
  operandBytes,
  planes,
  sizeWords,
} from './conv2dProblem.js';
import { loopPiece } from './gemmDevice.js';

/** F(TILE x TILE, 3x3). */
export interface WinogradForm {
  readonly tile: 2 | 4;
  /** Products a side. */
  readonly side: 4 | 6;
  readonly piece: Shader;
}

export const F2: WinogradForm = { tile: 2, side: 4, piece: f2 };
export const F4: WinogradForm = { tile: 4, side: 6, piece: f4 };

/**
 * Bytes that the transformed input of a slice may have, and its products as well. The whole of a large layer would be four
 * times the activations (268 MB in the full U-Net). Half as much, 32 MiB, would nearly fit a large GPU's second-level cache,
 * but take 659 launches a step of the full U-Net instead of 449.
 */
const SLICE = 64 << 20;

export function roundUp(n: number, to: number): number {
  return Math.ceil(n / to) * to;
}

/**
 * Input channels of the sum up to which F(4x4,3x3) is offered: its error against float64 (norm of the difference over norm) is
 * 1.2e-6 with 16, 3.4e-6 with 256, 7.5e-6 with 1024, five times the direct algorithm's. F(2x2,3x3) is below 1e-6 everywhere.
 */
const F4_CHANNELS = 512;

/** What the passes' own buffers and grids allow. */
export function supportsWinograd(p: Conv2dProblem, facts: DeviceFacts, { side }: WinogradForm): boolean {
  const { limits } = facts;
  const bytes = 4 * side * side * roundUp(p.c, 64) * roundUp(p.k, 64);
  return (
    p.kh === 3 &&
    p.kw === 3 &&
    p.sh === 1 &&
    p.sw === 1 &&
    p.dh === 1 &&
    p.dw === 1 &&
    p.groups === 1 &&
    p.ph <= 2 &&
    p.pw <= 2 &&
    roundUp(Math.max(p.c, p.k), 64) <= limits.maxComputeWorkgroupsPerDimension &&
    bytes <= Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)
  );
}

/**
 * Reasoned, not yet timed on a GPU. Time in units of the direct algorithm at the ceiling: the products at 0.4 of it, as a
 * good implicit GEMM has, over what the form saves, of channels padded to whole tiles (of input channels to `unit`); and for
 * each of those channels the transforms' 4 * 2 * side^2 / tile^2 bytes a pixel, at 9 FLOPs of the direct algorithm a byte (a
 * GPU's multiply-adds over its bandwidth, cache included).
 */
export function winogradShare(
  p: Conv2dProblem,
  facts: DeviceFacts,
  { tile, side }: WinogradForm,
  unit: 16 | 64,
): number {
  if (facts.software) return 0.03;
  const area = (side / tile) ** 2;
  const c = roundUp(p.c, unit);
  const k = roundUp(p.k, 64);
  const products = ((area / 9) * c * k) / 0.4;
  const transforms = ((8 * area * 9) / 18) * (c + k);
  // Few tiles leave most of the device idle during the transforms.
  const tiles = p.n * Math.ceil(p.oh / tile) * Math.ceil(p.ow / tile);
  const idle = roundUp(tiles, 64) / tiles;
  return (p.c * p.k) / ((products + transforms) * idle);
}

/** How tiles are dealt out to slices: `of` tiles, `each` a slice (a multiple of `unit`), `rows` channels of the larger buffer. */
export function slices(of: number, rows: number, side: number, unit: number) {
  const most = Math.max(unit, Math.floor(SLICE / (4 * side * side * rows) / unit) * unit);
  const count = Math.ceil(of / most);
  return { count, each: roundUp(Math.ceil(of / count), unit) };
}

/** The words that all passes read; see winograd_gemm.wgsl. `first`: first tile of the slice. */
export function winogradWords(
  p: { readonly input: Operand; readonly output: Operand },
  { tile }: WinogradForm,
  padding: readonly [number, number],
  channels: number,
  slice: { readonly first: number; readonly each: number },
  rest: readonly number[],
): { readonly words: number[]; readonly tiles: number } {
  const [n, c, h, w] = p.input.shape as readonly [number, number, number, number];
  const [, k, oh, ow] = p.output.shape as readonly [number, number, number, number];
  const input = planes('IN', p.input);
  const output = planes('OUT', p.output);
  const across = Math.ceil(ow / tile);
  const each = across * Math.ceil(oh / tile);
  const words = [c, h, w, k, oh, ow, ...padding];
  words.push(input.IN_OFFSET as number, input.IN_BATCH as number);
  words.push(output.OUT_OFFSET as number, output.OUT_BATCH as number);
  words.push(across, each, n * each, slice.first, slice.each, channels, roundUp(k, 64), ...rest);
  return { words, tiles: n * each };
}

/** Tiles of an output in planes layout. */
export function tilesOf(output: Operand, { tile }: WinogradForm): number {
  const [n, , oh, ow] = output.shape as readonly [number, number, number, number];
  return n * Math.ceil(oh / tile) * Math.ceil(ow / tile);
}

/** The convolution of `input` to `output`, both in planes layout; `turned` for the input gradient. */
function lowerWinograd(
  form: WinogradForm,
  p: Conv2dProblem,
  io: { readonly input: Operand; readonly weight: Operand; readonly output: Operand },
  turned: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const { side, piece } = form;
  const places = side * side;
  const c = io.input.shape[1] as number;
  const k = io.output.shape[1] as number;
  const channels = roundUp(c, 16);
  const outChannels = roundUp(k, 64);
  const padding = turned ? ([2 - p.ph, 2 - p.pw] as const) : ([p.ph, p.pw] as const);
  const tiles = tilesOf(io.output, form);
  const { count, each } = slices(tiles, Math.max(channels, outChannels), side, 64);
  const u = ctx.scratch([places, channels, outChannels]);
  const v = ctx.scratch([places, channels, each]);
  const m = ctx.scratch([places, outChannels, each]);
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const name = `winograd${form.tile}`;
  const launches: Launch[] = [];
  for (let first = 0; first < tiles; first += each) {
    const { words } = winogradWords(io, form, padding, channels, { first, each }, [
      turned ? 1 : 0,
      io.weight.layout.offset,
    ]);
    const sizes = bind(3, ctx.constant(sizeWords(join(words, parts.words, []))), 'uniform');
    if (first === 0) {
      launches.push({
        shader: filterPass,
        pieces: [piece, sizesPiece],
        constants: { WEIGHT_TYPE: storedType(io.weight) },
        bindings: [bind(0, io.weight, 'read'), bind(1, u, 'write'), sizes],
        workgroups: [outChannels / 64, channels, 1],
        variant: `${name} filters`,
        flops: 0,
        bytes: operandBytes(io.weight, u),
      });
    }
    const here = Math.min(each, tiles - first);
    const pixels = here * form.tile ** 2; // of a channel
    launches.push(
      {
        shader: inputPass,
        pieces: [piece, sizesPiece],
        constants: { IN_TYPE: storedType(io.input) },
        bindings: [bind(0, io.input, 'read'), bind(1, v, 'write'), sizes],
        workgroups: [each / 64, channels, 1],
        variant: `${name} tiles`,
        flops: 0,
        bytes: elementBytes(io.input.dtype) * c * pixels + 4 * places * channels * each,
      },
      {
        shader: gemm,
        pieces: [sizesPiece, loopPiece(ctx.facts)],
        constants: {},
        bindings: [bind(0, u, 'read'), bind(1, v, 'read'), bind(2, m, 'write'), sizes],
        workgroups: [each / 64, outChannels / 64, places],
        variant: `${name} 64x64x16${count > 1 ? `, ${count} slices` : ''}`,
        flops: 2 * 9 * c * k * here * form.tile ** 2,
        bytes: operandBytes(u, v, m),
      },
      {
        shader: outputPass,
        pieces: [piece, sizesPiece, ...parts.pieces],
        constants: { ...parts.constants, OUT_TYPE: storedType(io.output) },
        bindings: [bind(0, m, 'read'), bind(2, io.output, 'write'), sizes, ...parts.bindings],
        workgroups: [each / 64, k, 1],
        variant: `${name} output${parts.label}`,
        flops: 0,
        bytes: elementBytes(io.output.dtype) * k * pixels + 4 * places * k * each,
      },
    );
  }
  return launches;
}

function accurate(channels: number, form: WinogradForm): boolean {
  return form === F2 || channels <= F4_CHANNELS;
}

function forward(name: string, form: WinogradForm): ForwardVariant {
  return {
    name,
    dtypes: f32AndF16,
    supports: (p, facts) => accurate(p.c, form) && supportsWinograd(p, facts, form),
    share: (p, facts) => winogradShare(p, facts, form, 16),
    lower: (p, io, epilogue, ctx) =>
      lowerWinograd(form, p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
  };
}

function inputGrad(name: string, form: WinogradForm): InputGradVariant {
  return {
    name,
    dtypes: f32AndF16,
    supports: (p, facts) => accurate(p.k, form) && supportsWinograd(p, facts, form),
    share: (p, facts) => winogradShare(p, facts, form, 16),
    lower: (p, io, epilogue, ctx) =>
      lowerWinograd(form, p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
  };
}

export const forwardWinograd2 = /* @__PURE__ */ forward('winograd2', F2);
export const forwardWinograd4 = /* @__PURE__ */ forward('winograd4', F4);
export const inputGradWinograd2 = /* @__PURE__ */ inputGrad('winograd2', F2);
export const inputGradWinograd4 = /* @__PURE__ */ inputGrad('winograd4', F4);
