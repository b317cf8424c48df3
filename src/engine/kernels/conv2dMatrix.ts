/** A convolution without padding as a matrix product: what patches.wgsl and tile.wgsl have in common. */
import pack from '../../shaders/conv2d/patches_pack.wgsl';
import sizes from '../../shaders/conv2d/sizes.wgsl';
import {
  elementBytes,
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
import { grid1d } from './grid.js';

/** Any kernel, stride and dilation, as long as no tap leaves the image: forward and weight gradient. */
export function isMatrix(p: Conv2dProblem): boolean {
  return p.groups === 1 && p.ph === 0 && p.pw === 0;
}

/** Where each input pixel belongs to exactly one patch besides: the input gradient. */
export function isMatrixBackward(p: Conv2dProblem): boolean {
  const tiled = p.kh === p.sh && p.kw === p.sw && p.h === p.oh * p.sh && p.w === p.ow * p.sw;
  return isMatrix(p) && tiled && (p.kh === 1 || p.dh === 1) && (p.kw === 1 || p.dw === 1);
}

export interface MatrixOperands {
  readonly input: Operand;
  readonly weight: Operand;
  readonly output: Operand;
}

/** Rows of the product (m) and its inner length (r). `backward` takes gy to gx; otherwise x to y. */
export function matrixSize(p: Conv2dProblem, backward: boolean): { readonly r: number; readonly m: number } {
  const taps = p.c * p.kh * p.kw;
  return backward ? { r: p.k, m: taps } : { r: taps, m: p.k };
}

/** The part of the product that one launch computes. */
export interface MatrixPart {
  /** Rows of m in a block, the first block, and how many there are. */
  readonly rows: number;
  readonly block: number;
  readonly blocks: number;
  /** The inner terms: the first and how many. */
  readonly first: number;
  readonly count: number;
}

/** Words of a packed part with its tables: what patches_pack.wgsl writes. */
function packedWords({ rows, blocks, count }: MatrixPart): number {
  const r4 = Math.ceil(count / 4) * 4;
  return r4 + blocks * rows * (2 + r4);
}

/** The launch that packs a part, and the words for sizes.wgsl that both launches read. `own`: words 17 and 18. */
export function packMatrix(
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  part: MatrixPart,
  packed: Operand,
  epilogueWords: readonly number[],
  own: readonly [number, number],
  ctx: Lowering,
): { readonly launch: Launch; readonly words: Operand } {
  const { r, m } = matrixSize(p, backward);
  const input = planes('IN', io.input);
  const output = planes('OUT', io.output);
  const large = [p.sh * p.w, p.sw] as const;
  const small = [p.ow, 1] as const;
  const [from, to] = backward ? [small, large] : [large, small];
  const r4 = Math.ceil(part.count / 4) * 4;
  const length = part.blocks * r4 * part.rows;
  const grid = grid1d(length, 64);
  const kernel = [
    r4,
    m,
    p.n,
    p.oh,
    p.ow,
    input.IN_BATCH as number,
    ...from,
    output.OUT_BATCH as number,
    ...to,
    output.OUT_OFFSET as number,
    0,
    backward ? p.c * p.h * p.w : p.k * p.oh * p.ow,
    0,
    0,
    input.IN_OFFSET as number,
    ...own,
    part.block,
    part.first > 0 ? 1 : 0,
    part.first + part.count === r ? 1 : 0,
  ];
  const packing = [
    r,
    part.first,
    part.count,
    part.blocks,
    backward ? 1 : 0,
    p.kh * p.kw,
    p.kw,
    p.dh * p.w,
    p.dw,
    p.h * p.w,
    p.oh * p.ow,
    io.weight.layout.offset,
    part.rows,
    grid.constants.GRID_WIDTH as number,
  ];
  const words = ctx.constant(sizeWords(join(kernel, epilogueWords, packing)));
  return {
    words,
    launch: {
      shader: pack,
      pieces: [sizes],
      constants: { WEIGHT_TYPE: storedType(io.weight) },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write'), bind(3, words, 'uniform')],
      workgroups: grid.workgroups,
      variant: 'pack',
      flops: 0,
      bytes: (4 + elementBytes(io.weight.dtype)) * length,
    },
  };
}

/** How a product is run by one launch after its packing: all r and m at once, weights in storage. */
export interface MatrixForm {
  readonly shader: Shader;
  /** Rows of m in a block, and how many blocks there are. */
  readonly rows: number;
  readonly blocks: number;
  /** Words 17 and 18 of the sizes. */
  readonly own: readonly [number, number];
  readonly workgroups: Launch['workgroups'];
  readonly variant: string;
}

/** `backward` takes gy to gx; otherwise x to y. */
export function matrixProduct(
  { shader, rows, blocks, own, workgroups, variant }: MatrixForm,
  p: Conv2dProblem,
  io: MatrixOperands,
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const part = { rows, block: 0, blocks, first: 0, count: matrixSize(p, backward).r };
  const packed = ctx.scratch([packedWords(part)]);
  const { launch, words } = packMatrix(p, io, backward, part, packed, parts.words, own, ctx);
  return [
    launch,
    {
      shader,
      pieces: [sizes, ...parts.pieces],
      constants: { IN_TYPE: storedType(io.input), OUT_TYPE: storedType(io.output), ...parts.constants },
      bindings: [
        bind(0, io.input, 'read'),
        bind(1, packed, 'read'),
        bind(2, io.output, 'write'),
        bind(3, words, 'uniform'),
        ...parts.bindings,
      ],
      workgroups,
      variant: `${variant}${parts.label}`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
}
