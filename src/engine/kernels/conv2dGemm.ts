/**
 * Lowering of convolution and input gradient as matrix products, for GPUs: what gemm.wgsl and gemm_wide.wgsl
 * (conv2dGemmRegister.ts) and matrix.wgsl (conv2dSubgroupMatrix.ts) have in common.
 */
import finish from '../../shaders/conv2d/gemm_finish.wgsl';
import gemmInput from '../../shaders/conv2d/gemm_input.wgsl';
import gemmOutput from '../../shaders/conv2d/gemm_output.wgsl';
import pack from '../../shaders/conv2d/gemm_pack.wgsl';
import {
  type Constants,
  type DeviceFacts,
  type DType,
  elementBytes,
  i32,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  type Shader,
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
import { fillOf, partsFor } from './gemmDevice.js';
import { grid1d } from './grid.js';

/** A kernel for the product: what a workgroup of it computes (m x p) and brings at a time (k). */
export interface GemmTile {
  readonly name: string;
  readonly m: number;
  readonly p: number;
  readonly k: number;
  readonly threads: number;
  /** Of workgroup memory. */
  readonly bytes: number;
  /** Share of the multiply-add ceiling where all tiles are full. */
  readonly share: number;
  readonly shader: Shader;
  readonly pieces: readonly Shader[];
  readonly constants: Constants;
  /** How filters are packed: the type, and whether the r of one m follow each other rather than the m of one r. */
  readonly packed: { readonly dtype: DType; readonly alongR: boolean };
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
        invocations: mTiles * pixelTiles * tile.threads,
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
  return elementBytes(tile.packed.dtype) * shape.rowTiles * tile.m * shape.kTiles * tile.k;
}

function supports(
  p: Conv2dProblem,
  products: readonly GemmProduct[],
  tile: GemmTile | undefined,
  facts: DeviceFacts,
): boolean {
  const { limits } = facts;
  return (
    tile !== undefined &&
    p.groups === 1 &&
    tile.threads <= limits.maxComputeInvocationsPerWorkgroup &&
    tile.threads <= limits.maxComputeWorkgroupSizeX &&
    tile.bytes <= limits.maxComputeWorkgroupStorageSize &&
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
    fill += work * fillOf(facts, shape.rowTiles * shape.pixelTiles * shape.parts * tile.threads);
  }
  const useful = conv2dFlops(p) / 2 / done;
  return tile.share * Math.min(1, useful) * (fill / done);
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
  const packed = ctx.scratch([Math.max(4, rows * mRow)], tile.packed.dtype);
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
        R_STEP: tile.packed.alongR ? 1 : mRow,
        PACKED_M_STEP: tile.packed.alongR ? rows : 1,
        WEIGHT_TYPE: storedType(io.weight),
        PACKED_TYPE: storedType(packed),
        ...offset('WEIGHT', io.weight),
      },
      bindings: [bind(0, io.weight, 'read'), bind(1, packed, 'write')],
      workgroups: [Math.ceil(mRow / 32), Math.ceil(channels / 8), 1],
      variant: 'pack',
      flops: 0,
      bytes:
        elementBytes(io.weight.dtype) * rowsOf(product) * product.input.c * taps + packedBytes(tile, shape),
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
    shader: tile.shader,
    pieces: [...tile.pieces, ...parts.pieces, gemmInput, gemmOutput],
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
      THREADS: tile.threads,
      K_TILES: kTiles,
      PARTS: shape.parts,
      PART_TILES: Math.ceil(kTiles / shape.parts),
      PART_STRIDE: count,
      GRID_X: across,
      ...tile.constants,
      ...parts.constants,
    },
    bindings: [bind(0, io.input, 'read'), bind(1, packed, 'read'), bind(2, sums, 'write'), ...parts.bindings],
    workgroups: [across, mTiles, depth],
    variant: `${tile.name}x${tile.k}${split ? `, ${shape.parts} parts` : ''}${parts.label}`,
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

/** What runs a problem on a device; undefined where nothing of this kind can. */
export type TileOf = (p: Conv2dProblem, facts: DeviceFacts) => GemmTile | undefined;

function variant<Io>(
  name: string,
  tileOf: TileOf,
  productsOf: (p: Conv2dProblem) => readonly GemmProduct[],
  operands: (io: Io) => GemmOperands,
) {
  // Neither is asked where nothing runs the problem.
  const tile = tileOf as (p: Conv2dProblem, facts: DeviceFacts) => GemmTile;
  return {
    name,
    dtypes: f32AndF16,
    supports: (p: Conv2dProblem, facts: DeviceFacts) => supports(p, productsOf(p), tileOf(p, facts), facts),
    share: (p: Conv2dProblem, facts: DeviceFacts) => share(p, productsOf(p), tile(p, facts), facts),
    lower: (p: Conv2dProblem, io: Io, epilogue: Epilogue, ctx: Lowering) =>
      lower(p, productsOf(p), tile(p, ctx.facts), operands(io), epilogue, ctx),
  };
}

export function forwardGemmVariant(name: string, tileOf: TileOf): ForwardVariant {
  return variant(
    name,
    tileOf,
    (p) => [forwardProduct(p)],
    ({ x, weight, y }) => ({ input: x, weight, output: y }),
  );
}

export function inputGradGemmVariant(name: string, tileOf: TileOf): InputGradVariant {
  return variant(name, tileOf, inputGradProducts, ({ gy, weight, gx }) => ({
    input: gy,
    weight,
    output: gx,
  }));
}
