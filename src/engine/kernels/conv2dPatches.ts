/** Lowering of patches.wgsl: convolutions without padding on adapters that run on the CPU. */
import patches from '../../shaders/conv2d/patches.wgsl';
import pack from '../../shaders/conv2d/patches_pack.wgsl';
import sizesPiece from '../../shaders/conv2d/sizes.wgsl';
import weightGradPatches from '../../shaders/conv2d/weight_grad_patches.wgsl';
import type { DeviceFacts, Launch, Lowering, Operand } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
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

/** Words of the uniform buffer that patches.wgsl declares: the least that WebGPU promises. */
const UNIFORM = 16384;
/** Rows of m that a subgroup computes. */
const BLOCK = 32;
/** Most r of a launch: weights of one block with its tables must fit the buffer. */
const CHUNK = Math.floor((UNIFORM - 2 * BLOCK) / (BLOCK + 1) / 4) * 4;

function suits(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return facts.software && facts.subgroupSize === 8 && p.groups === 1 && p.ph === 0 && p.pw === 0;
}

/** Forward and weight gradient: any kernel, stride and dilation, as long as no tap leaves the image. */
export function supportsPatches(p: Conv2dProblem, facts: DeviceFacts): boolean {
  return suits(p, facts);
}

/** Input gradient: only where each input pixel belongs to exactly one patch. */
export function supportsPatchesBackward(p: Conv2dProblem, facts: DeviceFacts): boolean {
  const tiled = p.kh === p.sh && p.kw === p.sw && p.h === p.oh * p.sh && p.w === p.ow * p.sw;
  return suits(p, facts) && tiled && (p.kh === 1 || p.dh === 1) && (p.kw === 1 || p.dw === 1);
}

/** Of the ceiling, where `m` rows of the 32 of a block are used. */
export function patchesShare(m: number): number {
  return (0.3 * m) / (Math.ceil(m / BLOCK) * BLOCK);
}

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerPatches(
  p: Conv2dProblem,
  io: { readonly input: Operand; readonly weight: Operand; readonly output: Operand },
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const taps = p.c * p.kh * p.kw;
  const r = backward ? p.k : taps;
  const m = backward ? taps : p.k;
  const input = planes('IN', io.input);
  const output = planes('OUT', io.output);
  const large = [p.sh * p.w, p.sw] as const;
  const small = [p.ow, 1] as const;
  const [from, to] = backward ? [small, large] : [large, small];
  const across = Math.ceil(p.ow / 8);
  const tiles = across * Math.ceil(p.oh / 4);
  const blocks = Math.ceil(m / BLOCK);
  const chunk = Math.ceil(r / Math.ceil(r / CHUNK) / 4) * 4;
  const together = Math.min(blocks, Math.floor((UNIFORM - chunk) / (2 * BLOCK + chunk * BLOCK)));
  const parts = sharedEpilogueParts(epilogue, io.weight, ctx);
  const launches: Launch[] = [];
  for (let block = 0; block < blocks; block += together) {
    const count = Math.min(together, blocks - block);
    for (let first = 0; first < r; first += chunk) {
      const some = Math.min(chunk, r - first);
      const r4 = Math.ceil(some / 4) * 4;
      const share = (count / blocks) * (some / r);
      const sizes = [
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
        across,
        tiles,
        block,
        first > 0 ? 1 : 0,
        first + some === r ? 1 : 0,
      ];
      const packing = [
        r,
        first,
        some,
        count,
        backward ? 1 : 0,
        p.kh * p.kw,
        p.kw,
        p.dh * p.w,
        p.dw,
        p.h * p.w,
        p.oh * p.ow,
        io.weight.layout.offset,
      ];
      const words = ctx.constant(sizeWords(join(sizes, parts.words, packing)));
      const packed = ctx.scratch([UNIFORM]);
      const length = count * r4 * BLOCK;
      launches.push(
        {
          shader: pack,
          pieces: [sizesPiece],
          constants: {},
          bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write'), bind(3, words, 'uniform')],
          workgroups: [Math.ceil(length / 64), 1, 1],
          variant: 'pack',
          flops: 0,
          bytes: 8 * length,
        },
        {
          shader: patches,
          pieces: [sizesPiece, ...parts.pieces],
          constants: parts.constants,
          bindings: [
            bind(0, io.input, 'read'),
            bind(1, packed, 'uniform'),
            bind(2, io.output, chunk < r ? 'read_write' : 'write'),
            bind(3, words, 'uniform'),
            ...parts.bindings,
          ],
          workgroups: [Math.ceil((p.n * tiles) / 4), count, 1],
          variant: `patches 8x4x32${parts.label}`,
          flops: conv2dFlops(p) * share,
          bytes: conv2dBytes(p) * share,
        },
      );
    }
  }
  return launches;
}

/** Subgroups wanted in all, so that every core has work; more would only add partial sums. */
const SUBGROUPS = 128;

/** The weight gradient; `gw` [k, c, kh, kw] is contiguous. */
export function lowerWeightGradPatches(
  p: Conv2dProblem,
  io: { readonly x: Operand; readonly gy: Operand; readonly gw: Operand },
  ctx: Lowering,
): Launch[] {
  const lanes = ctx.facts.subgroupSize as number;
  const m = p.c * p.kh * p.kw;
  const pixels = p.n * p.oh * p.ow;
  const inBlocks = Math.ceil(m / 16);
  const outBlocks = Math.ceil(p.k / lanes);
  const wanted = Math.max(1, Math.ceil(SUBGROUPS / (inBlocks * outBlocks)));
  const run = Math.ceil(pixels / wanted / lanes) * lanes;
  const parts = Math.ceil(pixels / run);
  const count = p.k * m;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const x = planes('X', io.x);
  const gy = planes('GY', io.gy);
  const words = [
    m,
    p.k,
    pixels,
    p.oh,
    p.ow,
    0,
    p.kh,
    p.kw,
    p.dh * p.w,
    p.dw,
    p.h * p.w,
    x.X_BATCH as number,
    p.sh * p.w,
    p.sw,
    x.X_OFFSET as number,
    0,
    sums.layout.offset,
    gy.GY_OFFSET as number,
    run,
    parts,
    gy.GY_BATCH as number,
    p.ow,
    1,
  ];
  const sizes = ctx.constant(sizeWords(words));
  const launches: Launch[] = [
    {
      shader: weightGradPatches,
      pieces: [sizesPiece],
      constants: { LANES: lanes },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, sizes, 'uniform'),
      ],
      workgroups: [Math.ceil((parts * inBlocks) / 4), outBlocks, 1],
      variant: `patches ${lanes}x16, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}
