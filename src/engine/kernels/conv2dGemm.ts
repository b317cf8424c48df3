/** Lowering of gemm.wgsl and gemm_wide.wgsl: convolution and input gradient through workgroup memory, for GPUs. */
import gemm from '../../shaders/conv2d/gemm.wgsl';
import finish from '../../shaders/conv2d/gemm_finish.wgsl';
import gemmInput from '../../shaders/conv2d/gemm_input.wgsl';
import gemmOutput from '../../shaders/conv2d/gemm_output.wgsl';
import pack from '../../shaders/conv2d/gemm_pack.wgsl';
import gemmWide from '../../shaders/conv2d/gemm_wide.wgsl';
import outerProduct from '../../shaders/conv2d/outer_product.wgsl';
import {
  type DeviceFacts,
  i32,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  storedType,
} from '../kernel.js';
import { type Epilogue, epilogueParts } from './conv2dEpilogue.js';
import type { ForwardVariant } from './conv2dForward.js';
import {
  forwardProduct,
  type GemmProduct,
  inputGradProducts,
  pixelsOf,
  rowsOf,
  tapsOf,
} from './conv2dGemmProduct.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import {
  bind,
  type Conv2dProblem,
  conv2dBytes,
  conv2dFlops,
  f32AndF16,
  offset,
  planes,
} from './conv2dProblem.js';
import { fillOf, partsFor, registerTileShare } from './gemmDevice.js';
import { grid1d } from './grid.js';

/** What a workgroup computes (m x p) and brings at a time (k). */
interface GemmTile {
  readonly m: number;
  readonly p: number;
  readonly k: number;
  /** Sums of an invocation: 16 is gemm.wgsl, 64 gemm_wide.wgsl. */
  readonly sums: 16 | 64;
}

function threads(tile: GemmTile): number {
  return (tile.m * tile.p) / tile.sums;
}

function workgroupBytes(tile: GemmTile): number {
  return 4 * tile.k * (tile.m + tile.p);
}

/** How the rows of r fill tiles: tiles of one tap each where that wastes next to nothing, else as they come. */
function rowTiles(product: GemmProduct, k: number): { readonly oneTap: boolean; readonly tiles: number } {
  const taps = tapsOf(product);
  const whole = Math.ceil(product.input.c / k) * taps;
  const mixed = Math.ceil((product.input.c * taps) / k);
  return { oneTap: whole <= mixed * 1.1, tiles: whole <= mixed * 1.1 ? whole : mixed };
}

interface Shape {
  readonly rowTiles: number;
  readonly pixelTiles: number;
  readonly kTiles: number;
  readonly oneTap: boolean;
  readonly parts: number;
}

/** `whole`: the product makes the whole result, so its r may be split into parts. */
function shapeOf(product: GemmProduct, tile: GemmTile, whole: boolean, facts: DeviceFacts): Shape {
  const mTiles = Math.ceil(rowsOf(product) / tile.m);
  const pixelTiles = Math.ceil(pixelsOf(product) / tile.p);
  const { oneTap, tiles } = rowTiles(product, tile.k);
  const { c, h, w } = product.output;
  const parts = whole
    ? partsFor(facts, {
        invocations: mTiles * pixelTiles * threads(tile),
        most: Math.floor((tiles * tile.k) / 256),
        bytes: 4 * product.n * c * h * w,
      })
    : 1;
  // Parts are of equal length but for the last; none may be empty.
  const length = Math.ceil(tiles / parts);
  return {
    rowTiles: mTiles,
    pixelTiles,
    kTiles: tiles,
    oneTap,
    parts: length > 0 ? Math.ceil(tiles / length) : 1,
  };
}

function packedBytes(tile: GemmTile, shape: Shape): number {
  return 4 * shape.rowTiles * tile.m * shape.kTiles * tile.k;
}

function supports(
  p: Conv2dProblem,
  products: readonly GemmProduct[],
  tile: GemmTile,
  facts: DeviceFacts,
): boolean {
  const { limits } = facts;
  return (
    p.groups === 1 &&
    threads(tile) <= limits.maxComputeInvocationsPerWorkgroup &&
    threads(tile) <= limits.maxComputeWorkgroupSizeX &&
    workgroupBytes(tile) <= limits.maxComputeWorkgroupStorageSize &&
    products.every((product) => {
      const shape = shapeOf(product, tile, products.length === 1, facts);
      return (
        packedBytes(tile, shape) <= limits.maxStorageBufferBindingSize &&
        shape.rowTiles <= limits.maxComputeWorkgroupsPerDimension
      );
    })
  );
}

/** Multiply-adds asked for over those done, at the rate of the register tile, as far as the device is filled. */
function share(
  p: Conv2dProblem,
  products: readonly GemmProduct[],
  tile: GemmTile,
  facts: DeviceFacts,
): number {
  let done = 0;
  let fill = 0;
  for (const product of products) {
    const shape = shapeOf(product, tile, products.length === 1, facts);
    // Start and end of a workgroup cost as much as some more rows of r.
    const r = shape.kTiles * tile.k + 32 * shape.parts;
    const work = shape.rowTiles * tile.m * shape.pixelTiles * tile.p * r;
    done += work;
    fill += work * fillOf(facts, shape.rowTiles * shape.pixelTiles * shape.parts * threads(tile));
  }
  const useful = conv2dFlops(p) / 2 / done;
  return registerTileShare(facts, tile.sums, tile.m * tile.p) * Math.min(1, useful) * (fill / done);
}

interface GemmOperands {
  readonly input: Operand;
  readonly weight: Operand;
  readonly output: Operand;
}

function lowerProduct(
  product: GemmProduct,
  tile: GemmTile,
  shape: Shape,
  io: GemmOperands,
  epilogue: Epilogue,
  ctx: Lowering,
  cost: { readonly flops: number; readonly bytes: number },
): Launch[] {
  const { rowTiles: mTiles, pixelTiles, kTiles, oneTap } = shape;
  const rows = kTiles * tile.k;
  const taps = tapsOf(product);
  const mRow = mTiles * tile.m;
  const channels = oneTap ? rows / taps : Math.ceil(rows / taps);
  const packed = ctx.scratch([Math.max(4, rows * mRow)]);
  const common = { TAPS: taps, KW: product.taps[1], TILE_K: tile.k, ONE_TAP: oneTap };
  const launches: Launch[] = [];
  if (rows > 0) {
    launches.push({
      shader: pack,
      constants: {
        ...common,
        M: rowsOf(product),
        C: product.input.c,
        M_ROW: mRow,
        ROWS: rows,
        C_ROWS: channels,
        M_STEP: product.weight.m,
        C_STEP: product.weight.c,
        TAP_FIRST: i32(product.weight.first),
        TAP_STEP_H: i32(product.weight.tap[0]),
        TAP_STEP_W: i32(product.weight.tap[1]),
        WEIGHT_TYPE: storedType(io.weight),
        ...offset('WEIGHT', io.weight),
      },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write')],
      workgroups: [Math.ceil(mRow / 32), Math.ceil(channels / 8), 1],
      variant: 'pack',
      flops: 0,
      bytes: 4 * (rowsOf(product) * product.input.c * taps + rows * mRow),
    });
  }

  const { c, h, w } = product.output;
  const count = product.n * c * h * w;
  const split = shape.parts > 1;
  const sums = split ? ctx.scratch([shape.parts * product.n, c, h, w]) : io.output;
  const parts = epilogueParts(split ? {} : epilogue, ctx);
  const jobs = pixelTiles * shape.parts;
  const depth = Math.ceil(jobs / ctx.facts.limits.maxComputeWorkgroupsPerDimension);
  const across = Math.ceil(jobs / depth);
  launches.push({
    shader: tile.sums === 64 ? gemmWide : gemm,
    pieces: [outerProduct, ...parts.pieces, gemmInput, gemmOutput],
    constants: {
      ...common,
      N: product.n,
      IN_C: product.input.c,
      IN_H: product.input.h,
      IN_W: product.input.w,
      IN_TYPE: storedType(io.input),
      ...planes('IN', io.input),
      SH: product.stride[0],
      SW: product.stride[1],
      DH: product.dilation[0],
      DW: product.dilation[1],
      IN_Y0: product.origin[0] >>> 0,
      IN_X0: product.origin[1] >>> 0,
      GRID_H: product.grid[0],
      GRID_W: product.grid[1],
      OUT_C: c,
      OUT_H: h,
      OUT_W: w,
      OUT_TYPE: storedType(sums),
      ...planes('OUT', sums),
      STEP_Y: product.step[0],
      STEP_X: product.step[1],
      OUT_Y0: product.first[0],
      OUT_X0: product.first[1],
      SPREAD_H: product.spread[0],
      SPREAD_W: product.spread[1],
      TILE_M: tile.m,
      TILE_P: tile.p,
      THREADS: threads(tile),
      K_TILES: kTiles,
      PARTS: shape.parts,
      PART_TILES: Math.ceil(kTiles / shape.parts),
      PART_STRIDE: count,
      GRID_X: across,
      ROLLED: ctx.facts.software ? 1 : 0,
      ...parts.constants,
    },
    bindings: [bind(0, io.input, 'read'), bind(1, packed, 'read'), bind(2, sums, 'write'), ...parts.bindings],
    workgroups: [across, mTiles, depth],
    variant: `${nameOf(tile)}x${tile.k}${split ? `, ${shape.parts} parts` : ''}${parts.label}`,
    flops: cost.flops,
    bytes: cost.bytes + (split ? 4 * shape.parts * count : 0),
  });
  if (split) launches.push(finishLaunch(sums, io.output, shape.parts, epilogue, ctx));
  return launches;
}

/** Adds the parts and applies the epilogue. */
function finishLaunch(
  sums: Operand,
  output: Operand,
  parts: number,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch {
  const count = numel(output.shape);
  const [, c, h, w] = output.shape as readonly [number, number, number, number];
  const grid = grid1d(count, 64);
  const pieces = epilogueParts(epilogue, ctx);
  return {
    shader: finish,
    pieces: pieces.pieces,
    constants: {
      COUNT: count,
      PARTS: parts,
      OUT_C: c,
      OUT_PLANE: h * w,
      OUT_TYPE: storedType(output),
      ...planes('OUT', output),
      ...grid.constants,
      ...pieces.constants,
    },
    bindings: [bind(0, sums, 'read'), bind(1, output, 'write'), ...pieces.bindings],
    workgroups: grid.workgroups,
    variant: `parts ${parts}${pieces.label}`,
    flops: parts * count,
    bytes: 4 * (parts + 1) * count,
  };
}

function lower(
  p: Conv2dProblem,
  products: readonly GemmProduct[],
  tile: GemmTile,
  io: GemmOperands,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  const pixels = products.reduce((sum, product) => sum + pixelsOf(product) * tapsOf(product), 0);
  return products.flatMap((product) => {
    const part = (pixelsOf(product) * tapsOf(product)) / pixels;
    const shape = shapeOf(product, tile, products.length === 1, ctx.facts);
    return lowerProduct(product, tile, shape, io, epilogue, ctx, {
      flops: conv2dFlops(p) * part,
      bytes: conv2dBytes(p) * part,
    });
  });
}

/** From few channels to many; all fit the least workgroup that WebGPU promises. */
const TILES: readonly GemmTile[] = [
  { m: 32, p: 128, k: 8, sums: 16 },
  { m: 64, p: 64, k: 16, sums: 16 },
  { m: 64, p: 128, k: 8, sums: 64 },
  { m: 128, p: 128, k: 8, sums: 64 },
];

function nameOf(tile: GemmTile): string {
  return `gemm${tile.sums === 64 ? '_wide' : ''}_${tile.m}x${tile.p}`;
}

export const forwardGemm: readonly ForwardVariant[] = /* @__PURE__ */ TILES.map((tile) => ({
  name: nameOf(tile),
  dtypes: f32AndF16,
  supports: (p, facts) => supports(p, [forwardProduct(p)], tile, facts),
  share: (p, facts) => share(p, [forwardProduct(p)], tile, facts),
  lower: (p, io, epilogue, ctx) =>
    lower(p, [forwardProduct(p)], tile, { input: io.x, weight: io.weight, output: io.y }, epilogue, ctx),
}));

export const inputGradGemm: readonly InputGradVariant[] = /* @__PURE__ */ TILES.map((tile) => ({
  name: nameOf(tile),
  dtypes: f32AndF16,
  supports: (p, facts) => supports(p, inputGradProducts(p), tile, facts),
  share: (p, facts) => share(p, inputGradProducts(p), tile, facts),
  lower: (p, io, epilogue, ctx) =>
    lower(p, inputGradProducts(p), tile, { input: io.gy, weight: io.weight, output: io.gx }, epilogue, ctx),
}));
