/** Lowering of patches.wgsl: convolutions without padding on adapters that run on the CPU. */
import patches from '../../shaders/conv2d/patches.wgsl';
import pack from '../../shaders/conv2d/patches_pack.wgsl';
import sizesShader from '../../shaders/conv2d/sizes.wgsl';
import weightGradPatches from '../../shaders/conv2d/weight_grad_patches.wgsl';
import type { DeviceFacts, Launch, Lowering, Operand } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import { type Epilogue, sharedEpilogueParts } from './conv2dEpilogue.js';
import { bind, type Conv2dProblem, conv2dBytes, conv2dFlops, offset, planes } from './conv2dProblem.js';
import { grid1d } from './grid.js';

/** Words of sizes before the tables in what patches_pack.wgsl writes. */
const HEAD = 24;

function suits(p: Conv2dProblem, facts: DeviceFacts): boolean {
  const lanes = facts.subgroupSize;
  return facts.software && (lanes === 4 || lanes === 8) && p.groups === 1 && p.ph === 0 && p.pw === 0;
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

/** `backward` takes gy to gx; otherwise x to y. */
export function lowerPatches(
  p: Conv2dProblem,
  io: { readonly input: Operand; readonly weight: Operand; readonly output: Operand },
  backward: boolean,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const lanes = ctx.facts.subgroupSize as number;
  const taps = p.c * p.kh * p.kw;
  const r = backward ? p.k : taps;
  const m = backward ? taps : p.k;
  const r4 = Math.ceil(r / 4) * 4;
  const m8 = Math.ceil(m / 8) * 8;
  const pixels = p.n * p.oh * p.ow;
  const input = planes('IN', io.input);
  const output = planes('OUT', io.output);
  const large = [p.sh * p.w, p.sw] as const;
  const small = [p.ow, 1] as const;
  const [from, to] = backward ? [small, large] : [large, small];
  const sizes = [
    r4,
    m,
    pixels,
    p.oh,
    p.ow,
    input.IN_BATCH as number,
    ...from,
    output.OUT_BATCH as number,
    ...to,
    output.OUT_OFFSET as number,
    m8,
    backward ? p.c * p.h * p.w : p.k * p.oh * p.ow,
    epilogue.bias?.layout.offset ?? 0,
    epilogue.dropout?.stream ?? 0,
    input.IN_OFFSET as number,
  ];
  while (sizes.length < HEAD) sizes.push(0);

  const words = HEAD + r4 + 2 * m8 + m8 * r4;
  const packed = ctx.scratch([words]);
  const grid = grid1d(Math.max(HEAD, m8 * r4), 64);
  const parts = sharedEpilogueParts(epilogue, ctx);
  return [
    {
      shader: pack,
      constants: {
        SIZES: sizes,
        R: r,
        M: m,
        R4: r4,
        M8: m8,
        BACKWARD: backward,
        KH: p.kh,
        KW: p.kw,
        DH: p.dh,
        DW: p.dw,
        WIDTH: p.w,
        IMAGE_PLANE: p.h * p.w,
        SMALL_PLANE: p.oh * p.ow,
        ...offset('WEIGHT', io.weight),
        ...grid.constants,
      },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write')],
      workgroups: grid.workgroups,
      variant: 'pack',
      flops: 0,
      bytes: 4 * (r * m + words),
    },
    {
      shader: patches,
      pieces: parts.pieces,
      constants: { LANES: lanes, ...parts.constants },
      bindings: [
        bind(0, io.input, 'read'),
        bind(1, packed, 'read'),
        bind(2, io.output, 'write'),
        ...parts.bindings,
      ],
      workgroups: [Math.ceil(pixels / (32 * lanes)), m8 / 8, 1],
      variant: `patches ${8 * lanes}x8${parts.label}`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
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
  while (words.length < 32) words.push(0);
  const sizes = ctx.scratch([32], 'u32');
  const launches: Launch[] = [
    {
      shader: sizesShader,
      constants: { SIZES: words },
      bindings: [bind(0, sizes, 'write')],
      workgroups: [1, 1, 1],
      variant: 'sizes',
      flops: 0,
      bytes: 128,
    },
    {
      shader: weightGradPatches,
      constants: { LANES: lanes },
      bindings: [
        bind(0, io.x, 'read'),
        bind(1, io.gy, 'read'),
        bind(2, sums, 'write'),
        bind(3, sizes, 'read'),
      ],
      workgroups: [Math.ceil((parts * inBlocks) / 4), outBlocks, 1],
      variant: `patches ${lanes}x16, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }));
  return launches;
}
