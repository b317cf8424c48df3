/** Lowering of strips.wgsl and its like: 3x3 convolutions of stride 1 on adapters that run on the CPU. */

import largeBlock from '../../shaders/conv2d/block8x3.wgsl';
import lines from '../../shaders/conv2d/lines3x3.wgsl';
import quads3x3 from '../../shaders/conv2d/quads3x3.wgsl';
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import strips from '../../shaders/conv2d/strips.wgsl';
import pack from '../../shaders/conv2d/strips_pack.wgsl';
import {
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

/** Words of the uniform buffer that strips.wgsl declares: the least that WebGPU promises. */
const UNIFORM = 16384;

/** A kernel with tiles of 8 rows and blocks of 8 output channels, and how it has its weights. */
export interface StripsForm {
  readonly name: string;
  readonly shader: Shader;
  /** Pieces of `shader`, beside sizes and epilogue. */
  readonly pieces: readonly Shader[];
  readonly pack: Shader;
  /** Words of weights for one input channel and 8 output channels, and how many of them an invocation of `pack` writes. */
  readonly words: number;
  readonly packs: number;
  /** Columns of a tile, tiles of a workgroup of `shader`, and its blocks of 8 output channels. */
  readonly columns: number;
  readonly tiles: number;
  readonly blocks: number;
  /** Whether weights lie in the uniform buffer, else in storage. */
  readonly uniform: boolean;
}

export const plainStrips: StripsForm = {
  name: 'strips',
  shader: strips,
  pieces: [],
  pack,
  words: 72,
  packs: 1,
  columns: 8,
  tiles: 4,
  blocks: 1,
  uniform: true,
};

export const largeBlocks: StripsForm = {
  name: 'block8',
  shader: largeBlock,
  pieces: [lines],
  pack,
  words: 72,
  packs: 1,
  columns: 4,
  tiles: 64,
  blocks: 1,
  uniform: false,
};

export const quads: StripsForm = {
  name: 'quads',
  shader: quads3x3,
  pieces: [lines],
  pack,
  words: 72,
  packs: 1,
  columns: 8,
  tiles: 16,
  blocks: 2,
  uniform: false,
};

/** Words of weights that one launch packs into storage: what a dispatch reaches along one axis. */
const STORAGE = 65535 * 64;

/** Whether the problem is a 3x3 convolution of stride 1 in one group, and the adapter one that strips are made for. */
export function supportsStrips(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8 && isSmall3x3(p);
}

/** Whether the problem is one for large blocks. */
export function supportsLargeBlocks(p: Conv2dProblem): boolean {
  return isSmall3x3(p) && Math.max(p.c, p.k) * 72 <= STORAGE;
}

/** Whether subgroups are quads, in which a swap costs next to nothing on the CPU, and the problem is one for them. */
export function supportsQuads(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.subgroupSize === 4 && isSmall3x3(p) && Math.max(p.c, p.k) * 144 <= STORAGE;
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

/** Input channels whose weights fit the buffer, for one block. */
function mostChannels(form: StripsForm): number {
  return Math.floor(capacityOf(form) / form.words);
}

/** Words of weights that a launch can have. */
function capacityOf({ uniform }: StripsForm): number {
  return uniform ? UNIFORM : STORAGE;
}

/** Chunks of input channels add up in the output, which f16 is too coarse for. */
export function addsUp(form: StripsForm, p: Conv2dProblem, inChannels: number): boolean {
  return p.dtype !== 'f16' || inChannels <= mostChannels(form);
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
  const blocks = Math.ceil(outChannels / (8 * form.blocks)) * form.blocks;
  const capacity = capacityOf(form);
  const most = mostChannels(form);
  const chunk = Math.ceil(inChannels / Math.ceil(inChannels / most));
  const room = Math.min(blocks, Math.floor(capacity / (chunk * form.words)), 65535);
  const together = room - (room % form.blocks);
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const launches: Launch[] = [];
  for (let block = 0; block < blocks; block += together) {
    const count = Math.min(together, blocks - block);
    for (let first = 0; first < inChannels; first += chunk) {
      const channels = Math.min(chunk, inChannels - first);
      const share = (count / blocks) * (channels / inChannels);
      const sizes = [
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
        0,
        0,
        n,
        block,
        first > 0 ? 1 : 0,
        first + channels === inChannels ? 1 : 0,
      ];
      const packing = [inChannels, first, turned ? 1 : 0, io.weight.layout.offset];
      const words = ctx.constant(sizeWords(join(sizes, parts.words, packing)));
      const length = count * channels * form.words;
      const packed = ctx.scratch([form.uniform ? UNIFORM : length]);
      launches.push(
        {
          shader: form.pack,
          pieces: [sizesPiece],
          constants: { WEIGHT_TYPE: storedType(io.weight) },
          bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write'), bind(3, words, 'uniform')],
          workgroups: [Math.ceil((channels * form.words) / form.packs / 64), count, 1],
          variant: 'pack',
          flops: 0,
          bytes: 4 * (count * channels * 72 + length),
        },
        {
          shader: form.shader,
          pieces: [sizesPiece, ...form.pieces, ...parts.pieces],
          constants: {
            IN_TYPE: storedType(io.input),
            OUT_TYPE: storedType(io.output),
            ...parts.constants,
          },
          bindings: [
            bind(0, io.input, 'read'),
            bind(1, packed, form.uniform ? 'uniform' : 'read'),
            bind(2, io.output, chunk < inChannels ? 'read_write' : 'write'),
            bind(3, words, 'uniform'),
            ...parts.bindings,
          ],
          workgroups: [Math.ceil((n * tiles) / form.tiles), count / form.blocks, 1],
          variant: `${form.name} ${form.columns}x8x${8 * form.blocks}${parts.label}`,
          flops: conv2dFlops(p) * share,
          bytes: conv2dBytes(p) * share,
        },
      );
    }
  }
  return launches;
}
