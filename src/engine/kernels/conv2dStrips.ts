/** Lowering of strips.wgsl and its like: 3x3 convolutions of stride 1 on adapters that run on the CPU. */

import largeBlock from '../../shaders/conv2d/block8x3.wgsl';
import lines from '../../shaders/conv2d/lines3x3.wgsl';
import quads3x3 from '../../shaders/conv2d/quads3x3.wgsl';
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import strips from '../../shaders/conv2d/strips.wgsl';
import pack from '../../shaders/conv2d/strips_pack.wgsl';
import store from '../../shaders/conv2d/strips_store.wgsl';
import {
  type Binding,
  type Constants,
  type DeviceFacts,
  type Launch,
  type Lowering,
  type Operand,
  type Shader,
  storedType,
} from '../kernel.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import {
  bind,
  type Conv2dProblem,
  conv2dBytes,
  conv2dFlops,
  join,
  planes,
  sizeWords,
} from './conv2dProblem.js';

/** Words of a uniform buffer as the kernels declare it: the least that WebGPU promises. */
const UNIFORM = 16384;
/** Words that a bound part of a buffer begins at a multiple of. */
const ALIGN = 64;

/** A kernel with tiles of 8 rows and blocks of 8 output channels, and how it has its weights. */
export interface StripsForm {
  readonly name: string;
  readonly shader: Shader;
  /** Pieces of `shader`, beside sizes and epilogue. */
  readonly pieces: readonly Shader[];
  readonly pack: Shader;
  readonly packConstants: Constants;
  /** Words of weights for one input channel and 8 output channels. */
  readonly words: number;
  /** Columns of a tile, tiles of a workgroup of `shader`, and its blocks of 8 output channels. */
  readonly columns: number;
  readonly tiles: number;
  readonly blocks: number;
  /** Where the weights of each of a workgroup's blocks are bound, as uniform buffers; null for storage, at 1. */
  readonly uniform: readonly number[] | null;
}

export const plainStrips: StripsForm = {
  name: 'strips',
  shader: strips,
  pieces: [store],
  pack,
  packConstants: { TOGETHER: 1 },
  words: 72,
  columns: 8,
  tiles: 4,
  blocks: 1,
  uniform: [1],
};

export const largeBlocks: StripsForm = {
  name: 'block8',
  shader: largeBlock,
  pieces: [lines],
  pack,
  packConstants: { TOGETHER: 1 },
  words: 72,
  columns: 4,
  tiles: 64,
  blocks: 1,
  uniform: null,
};

export const quads: StripsForm = {
  name: 'quads',
  shader: quads3x3,
  pieces: [lines],
  pack,
  packConstants: { TOGETHER: 1 },
  words: 72,
  columns: 8,
  tiles: 16,
  blocks: 2,
  uniform: null,
};

/** Input channels that a workgroup packs, one after the other. */
const PACKED_TOGETHER = 8;

/** Input channels that one launch packs into storage: more than any layer has, and within what a dispatch reaches. */
const STORAGE_CHANNELS = 65535;

/** Whether the problem is a 3x3 convolution of stride 1 in one group, and the adapter one that strips are made for. */
export function supportsStrips(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8 && isSmall3x3(p);
}

/** Whether the problem is one for large blocks. */
export function supportsLargeBlocks(p: Conv2dProblem): boolean {
  return isSmall3x3(p) && Math.max(p.c, p.k) <= STORAGE_CHANNELS;
}

/** Whether subgroups are quads, in which a swap costs next to nothing on the CPU, and the problem is one for them. */
export function supportsQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.subgroupSize === 4 && isSmall3x3(p) && Math.max(p.c, p.k) <= STORAGE_CHANNELS;
}

/** 3x3 of stride 1 in one group, with padding of 0 to 2. */
export function isSmall3x3(p: Conv2dProblem): boolean {
  return (
    p.kh === 3 &&
    p.kw === 3 &&
    p.sh === 1 &&
    p.sw === 1 &&
    p.dh === 1 &&
    p.dw === 1 &&
    p.groups === 1 &&
    p.ph <= 2 &&
    p.pw <= 2
  );
}

/** Input channels whose weights a launch can have, of one block. */
function mostChannels({ uniform, words }: StripsForm): number {
  return uniform ? Math.floor(UNIFORM / words) : STORAGE_CHANNELS;
}

/** Chunks of input channels add up in the output, which f16 is too coarse for. */
export function addsUp(form: StripsForm, p: Conv2dProblem, inChannels: number): boolean {
  return p.dtype !== 'f16' || inChannels <= mostChannels(form);
}

/** How the blocks of 8 output channels are dealt out to launches. */
interface Deal {
  /** Words of a block's weights with what fills them up. */
  readonly stride: number;
  /** Workgroups of a launch along its blocks; each has `form.blocks` of them. */
  readonly together: number;
  readonly launches: number;
}

function deal(form: StripsForm, channels: number, outChannels: number): Deal {
  const blocks = Math.ceil(outChannels / 8);
  const words = channels * form.words;
  if (!form.uniform) return { stride: words, together: Math.ceil(blocks / form.blocks), launches: 1 };
  const stride = Math.ceil(words / ALIGN) * ALIGN;
  const groups = Math.ceil(blocks / form.blocks);
  const launches = Math.ceil(groups / Math.floor(UNIFORM / stride));
  return { stride, together: Math.ceil(groups / launches), launches };
}

/** The convolution of `input` to `output`, both in planes layout; `turned` for the input gradient. */
export function lowerStrips(
  form: StripsForm,
  p: Conv2dProblem,
  io: { readonly input: Operand; readonly weight: Operand; readonly output: Operand },
  turned: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const [n, inChannels, height, width] = io.input.shape as readonly [number, number, number, number];
  const [, outChannels, outHeight, outWidth] = io.output.shape as readonly [number, number, number, number];
  const input = planes('IN', io.input);
  const output = planes('OUT', io.output);
  const across = Math.ceil(outWidth / form.columns);
  const tiles = across * Math.ceil(outHeight / 8);
  const chunk = Math.ceil(inChannels / Math.ceil(inChannels / mostChannels(form)));
  const chunks = Math.ceil(inChannels / chunk);
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const launches: Launch[] = [];
  for (let first = 0; first < inChannels; first += chunk) {
    const channels = Math.min(chunk, inChannels - first);
    const { stride, together, launches: count } = deal(form, channels, outChannels);
    const blocks = together * count * form.blocks;
    const share = channels / inChannels / count;
    const packers = Math.ceil(channels / PACKED_TOGETHER);
    const sizes = (block: number): Operand => {
      const own = [
        channels,
        height,
        width,
        outChannels,
        outHeight,
        outWidth,
        turned ? 2 - p.ph : p.ph,
        turned ? 2 - p.pw : p.pw,
        (input.IN_OFFSET as number) + first * height * width,
        input.IN_BATCH as number,
        output.OUT_OFFSET as number,
        output.OUT_BATCH as number,
        across,
        tiles,
        stride,
        together,
        n,
        block,
        first > 0 ? 1 : 0,
        first + channels === inChannels ? 1 : 0,
      ];
      const packing = [inChannels, first, turned ? 1 : 0, io.weight.layout.offset, packers];
      return ctx.constant(sizeWords(join(own, parts.words, packing)));
    };
    // What is bound of the last block's weights goes past them.
    const packed = ctx.scratch([blocks * stride + (form.uniform ? UNIFORM - stride : 0)]);
    const weights = (block: number): Binding[] =>
      form.uniform?.map((at, i) => ({
        ...bind(at, packed, 'uniform'),
        range: { from: 4 * (block + i * together) * stride, bytes: 4 * UNIFORM },
      })) ?? [bind(1, packed, 'read')];
    launches.push({
      shader: form.pack,
      pieces: [sizesPiece],
      constants: { WEIGHT_TYPE: storedType(io.weight), ...form.packConstants },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write'), bind(3, sizes(0), 'uniform')],
      workgroups: [packers, blocks, 1],
      variant: 'pack',
      flops: 0,
      bytes: 4 * channels * (outChannels * 9 + blocks * form.words),
    });
    for (let i = 0; i < count; i++) {
      const block = i * together * form.blocks;
      launches.push({
        shader: form.shader,
        pieces: [sizesPiece, ...form.pieces, ...parts.pieces],
        constants: {
          IN_TYPE: storedType(io.input),
          OUT_TYPE: storedType(io.output),
          CHUNKS: Math.min(2, chunks),
          ...parts.constants,
        },
        bindings: [
          bind(0, io.input, 'read'),
          ...weights(block),
          bind(2, io.output, chunks > 1 ? 'read_write' : 'write'),
          bind(3, sizes(block), 'uniform'),
          ...parts.bindings,
        ],
        workgroups: [together, Math.ceil((n * tiles) / form.tiles), 1],
        variant: `${form.name} ${form.columns}x8x${8 * form.blocks}${parts.label}`,
        flops: conv2dFlops(p) * share,
        bytes: conv2dBytes(p) * share,
      });
    }
  }
  return launches;
}
