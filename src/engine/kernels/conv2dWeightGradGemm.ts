/**
 * Lowering of the weight gradient as a matrix product, for GPUs: what weight_grad_gemm.wgsl and weight_grad_gemm_wide.wgsl
 * (conv2dGemmRegister.ts) and weight_grad_matrix.wgsl (conv2dSubgroupMatrix.ts) have in common.
 */
import input from '../../shaders/conv2d/weight_grad_gemm_input.wgsl';
import input4 from '../../shaders/conv2d/weight_grad_gemm_input4.wgsl';
import {
  type Constants,
  type DeviceFacts,
  type Launch,
  type Lowering,
  type Shader,
  storedType,
} from '../kernel.js';
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
import { fillOf, partsFor } from './gemmDevice.js';

/** A kernel for the product: what a workgroup of it computes (m x q). */
export interface WeightGradTile {
  readonly name: string;
  readonly m: number;
  readonly q: number;
  /** A quarter of the pixels that are brought at a time. */
  readonly lanes: number;
  readonly threads: number;
  /** Of workgroup memory. */
  readonly bytes: number;
  /** How many times what a device holds at once there should be, since parts are long and their ends uneven. */
  readonly waves: number;
  /** Share of the multiply-add ceiling where all tiles are full. */
  readonly share: number;
  readonly shader: Shader;
  readonly pieces: readonly Shader[];
  readonly constants: Constants;
}

interface Shape {
  readonly columnTiles: number;
  readonly rowTiles: number;
  readonly parts: number;
  /** Tiles of pixels of one part. */
  readonly partTiles: number;
}

function shapeOf(p: Conv2dProblem, tile: WeightGradTile, facts: DeviceFacts): Shape {
  const columns = p.c * p.kh * p.kw;
  const columnTiles = Math.ceil(columns / tile.q);
  const rowTiles = Math.ceil(p.k / tile.m);
  const pixels = p.n * p.oh * p.ow;
  const tiles = Math.ceil(pixels / (4 * tile.lanes));
  const wanted = partsFor(facts, {
    invocations: (columnTiles * rowTiles * tile.threads) / tile.waves,
    most: Math.floor(pixels / 256),
    bytes: 4 * p.k * columns,
  });
  const partTiles = Math.ceil(tiles / Math.min(wanted, facts.limits.maxComputeWorkgroupsPerDimension));
  return { columnTiles, rowTiles, parts: Math.ceil(tiles / partTiles), partTiles };
}

function supports(p: Conv2dProblem, tile: WeightGradTile | undefined, facts: DeviceFacts): boolean {
  if (!tile) return false;
  const { limits } = facts;
  const { columnTiles, rowTiles } = shapeOf(p, tile, facts);
  return (
    p.groups === 1 &&
    tile.threads <= limits.maxComputeInvocationsPerWorkgroup &&
    tile.threads <= limits.maxComputeWorkgroupSizeX &&
    tile.bytes <= limits.maxComputeWorkgroupStorageSize &&
    Math.max(columnTiles, rowTiles) <= limits.maxComputeWorkgroupsPerDimension
  );
}

function share(p: Conv2dProblem, tile: WeightGradTile, facts: DeviceFacts): number {
  const { columnTiles, rowTiles, parts, partTiles } = shapeOf(p, tile, facts);
  const tiles = columnTiles * rowTiles;
  // Start and end of a workgroup cost as much as some more pixels.
  const pixels = parts * (partTiles * 4 * tile.lanes + 32);
  const useful = conv2dFlops(p) / 2 / (tiles * tile.m * tile.q * pixels);
  return tile.share * Math.min(1, useful) * fillOf(facts, tiles * parts * tile.threads);
}

function lower(
  p: Conv2dProblem,
  tile: WeightGradTile,
  vectors: Vectors,
  io: WeightGradOperands,
  ctx: Lowering,
): Launch[] {
  const { columnTiles, rowTiles, parts, partTiles } = shapeOf(p, tile, ctx.facts);
  const count = p.k * p.c * p.kh * p.kw;
  const sums = parts > 1 ? ctx.scratch([parts, count]) : io.gw;
  const gy = planes('GY', io.gy);
  const aligned =
    vectors !== 'never' && [p.ow, gy.GY_OFFSET, gy.GY_BATCH].every((at) => (at as number) % 4 === 0);
  const launches: Launch[] = [
    {
      shader: tile.shader,
      pieces: [...tile.pieces, aligned ? input4 : input],
      constants: {
        ...conv2dConstants(p),
        ...planes('X', io.x),
        ...gy,
        ...offset('OUT', sums),
        X_TYPE: storedType(io.x),
        GY_TYPE: storedType(io.gy, aligned ? 4 : 1),
        LANES: tile.lanes,
        PART_TILES: partTiles,
        ...tile.constants,
      },
      bindings: [bind(0, io.x, 'read'), bind(1, io.gy, 'read'), bind(2, sums, 'write')],
      workgroups: [columnTiles, rowTiles, parts],
      variant: `${tile.name}${aligned ? '_vec4' : ''} ${tile.m}x${tile.q}x${4 * tile.lanes}, ${parts} parts`,
      flops: conv2dFlops(p),
      bytes: conv2dBytes(p) + (parts > 1 ? 4 * parts * count : 0),
    },
  ];
  if (parts > 1) launches.push(reducePartsLaunch(sums, io.gw, count, parts, { part: count, item: 1 }, ctx));
  return launches;
}

/**
 * Whether gy comes as vectors where its rows and images lie so. `only`: problems whose rows do; an image that does not start at
 * a multiple of 4 elements is still read without.
 */
type Vectors = 'never' | 'only' | 'where';

export function weightGradGemmVariant(
  name: string,
  vectors: Vectors,
  tileOf: (p: Conv2dProblem, facts: DeviceFacts) => WeightGradTile | undefined,
): WeightGradVariant {
  // Neither is asked where nothing runs the problem.
  const tile = tileOf as (p: Conv2dProblem, facts: DeviceFacts) => WeightGradTile;
  return {
    name,
    dtypes: f32AndF16,
    supports: (p, facts) => (vectors !== 'only' || p.ow % 4 === 0) && supports(p, tileOf(p, facts), facts),
    share: (p, facts) => share(p, tile(p, facts), facts) * (vectors === 'only' ? 1.1 : 1),
    lower: (p, io, ctx) => lower(p, tile(p, ctx.facts), vectors, io, ctx),
  };
}
