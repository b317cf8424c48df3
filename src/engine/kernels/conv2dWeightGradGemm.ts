/** Lowering of weight_grad_gemm.wgsl and weight_grad_gemm_wide.wgsl: the weight gradient through workgroup memory, for GPUs. */
import outerProduct from '../../shaders/conv2d/outer_product.wgsl';
import gemm from '../../shaders/conv2d/weight_grad_gemm.wgsl';
import input from '../../shaders/conv2d/weight_grad_gemm_input.wgsl';
import input4 from '../../shaders/conv2d/weight_grad_gemm_input4.wgsl';
import gemmWide from '../../shaders/conv2d/weight_grad_gemm_wide.wgsl';
import { type DeviceFacts, type Launch, type Lowering, storedType } from '../kernel.js';
import { reducePartsLaunch } from './conv2dBiasGrad.js';
import {
  bind,
  type Conv2dProblem,
  conv2dBytes,
  conv2dConstants,
  conv2dFlops,
  f32AndF16,
  offset,
  planes,
} from './conv2dProblem.js';
import type { WeightGradOperands, WeightGradVariant } from './conv2dWeightGrad.js';
import { fillOf, partsFor, registerTileShare } from './gemmDevice.js';

const THREADS = 256;

interface Tile {
  /** Rows and columns of a workgroup. */
  readonly size: 64 | 128;
  /** A quarter of the pixels that are brought at a time. */
  readonly lanes: 8 | 4;
}

interface Shape {
  readonly columnTiles: number;
  readonly rowTiles: number;
  readonly parts: number;
  /** Tiles of pixels of one part. */
  readonly partTiles: number;
}

function sumsOf(tile: Tile): 16 | 64 {
  return tile.size === 64 ? 16 : 64;
}

function shapeOf(p: Conv2dProblem, tile: Tile, facts: DeviceFacts): Shape {
  const columns = p.c * p.kh * p.kw;
  const columnTiles = Math.ceil(columns / tile.size);
  const rowTiles = Math.ceil(p.k / tile.size);
  const pixels = p.n * p.oh * p.ow;
  const tiles = Math.ceil(pixels / (4 * tile.lanes));
  // A part is long, so a few more of them than fit at once even out the end; small tiles leave room for more.
  const wanted = partsFor(facts, {
    invocations: (columnTiles * rowTiles * THREADS) / (tile.size === 64 ? 4 : 2),
    most: Math.floor(pixels / 256),
    bytes: 4 * p.k * columns,
  });
  const partTiles = Math.ceil(tiles / Math.min(wanted, facts.limits.maxComputeWorkgroupsPerDimension));
  return { columnTiles, rowTiles, parts: Math.ceil(tiles / partTiles), partTiles };
}

function supports(p: Conv2dProblem, tile: Tile, facts: DeviceFacts): boolean {
  const { limits } = facts;
  const { columnTiles, rowTiles } = shapeOf(p, tile, facts);
  return (
    p.groups === 1 &&
    THREADS <= limits.maxComputeInvocationsPerWorkgroup &&
    2 * 16 * tile.lanes * tile.size <= limits.maxComputeWorkgroupStorageSize &&
    Math.max(columnTiles, rowTiles) <= limits.maxComputeWorkgroupsPerDimension
  );
}

function share(p: Conv2dProblem, tile: Tile, facts: DeviceFacts): number {
  const { columnTiles, rowTiles, parts, partTiles } = shapeOf(p, tile, facts);
  const tiles = columnTiles * rowTiles;
  // Start and end of a workgroup cost as much as some more pixels.
  const pixels = parts * (partTiles * 4 * tile.lanes + 32);
  const useful = conv2dFlops(p) / 2 / (tiles * tile.size ** 2 * pixels);
  return (
    registerTileShare(facts, sumsOf(tile), tile.size ** 2) *
    Math.min(1, useful) *
    fillOf(facts, tiles * parts * THREADS)
  );
}

function lower(
  p: Conv2dProblem,
  tile: Tile,
  vectors: boolean,
  io: WeightGradOperands,
  ctx: Lowering,
): Launch[] {
  const { columnTiles, rowTiles, parts, partTiles } = shapeOf(p, tile, ctx.facts);
  const count = p.k * p.c * p.kh * p.kw;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const gy = planes('GY', io.gy);
  const aligned = vectors && (gy.GY_OFFSET as number) % 4 === 0 && (gy.GY_BATCH as number) % 4 === 0;
  const launches: Launch[] = [
    {
      shader: tile.size === 64 ? gemm : gemmWide,
      pieces: [outerProduct, aligned ? input4 : input],
      constants: {
        ...conv2dConstants(p),
        ...planes('X', io.x),
        ...gy,
        ...offset('OUT', sums),
        X_TYPE: storedType(io.x),
        GY_TYPE: storedType(io.gy, aligned ? 4 : 1),
        LANES: tile.lanes,
        PART_TILES: partTiles,
        ROLLED: ctx.facts.software ? 1 : 0,
      },
      bindings: [bind(0, io.x, 'read'), bind(1, io.gy, 'read'), bind(2, sums, 'write')],
      workgroups: [columnTiles, rowTiles, parts],
      variant: `gemm${tile.size === 64 ? '' : '_wide'}${aligned ? '_vec4' : ''} ${tile.size}x${tile.size}x${4 * tile.lanes}, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p) + (parts > 1 ? 4 * parts * count : 0),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}

function variant(name: string, tile: Tile, vectors: boolean): WeightGradVariant {
  return {
    name,
    dtypes: f32AndF16,
    supports: (p, facts) => (!vectors || p.ow % 4 === 0) && supports(p, tile, facts),
    share: (p, facts) => share(p, tile, facts) * (vectors ? 1.1 : 1),
    lower: (p, io, ctx) => lower(p, tile, vectors, io, ctx),
  };
}

const SMALL: Tile = { size: 64, lanes: 8 };
const WIDE: Tile = { size: 128, lanes: 4 };

/** From the plainest to the best; an image that does not start at a multiple of 4 elements is read without vectors by all. */
export const weightGradGemm: readonly WeightGradVariant[] = [
  /* @__PURE__ */ variant('gemm', SMALL, false),
  /* @__PURE__ */ variant('gemm_vec4', SMALL, true),
  /* @__PURE__ */ variant('gemm_wide', WIDE, false),
  /* @__PURE__ */ variant('gemm_wide_vec4', WIDE, true),
];
