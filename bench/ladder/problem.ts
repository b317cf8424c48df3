import type { Parameter, Tensor } from '../../src/engine/tensor.js';
import type { Precision } from '../../src/unet/config.js';
import { type NetConfig, uniform } from '../peers/net.js';

/** What one output must be, element by element in row-major order, computed in float64. */
export interface Expected {
  readonly shape: readonly number[];
  at(index: number): number;
  /** Roughly the multiply-adds that one element takes, so that a long reference can be sampled. */
  readonly cost: number;
}

/** The work of one run, and how to know that it was done right. */
export interface LadderProblem {
  /** Makes the tensors to compute; called anew for each variant. Its leaves are constants or parameters. */
  build(): {
    readonly outputs: Readonly<Record<string, Tensor>>;
    readonly state?: Readonly<Record<string, Parameter>>;
  };
  readonly scalars?: Readonly<Record<string, number>>;
  /** Ops whose dispatches are timed, where the graph needs others only to feed them; all when left out. */
  readonly timed?: readonly string[];
  /** By name of an output, or of a parameter in `state` after one run. */
  readonly expected: Readonly<Record<string, Expected>>;
  /** Largest error that passes for right, where it is not that of f32. */
  readonly limit?: number;
}

/** One shape of an op in the net. */
export interface LadderLayer {
  /** Where it first stands, and its sizes: `down.0.conv2 16>16 128x128`. */
  readonly name: string;
  /** How many layers of the net have these sizes. */
  readonly count: number;
  /** Floating-point operations of the plain algorithm. */
  readonly flops: number;
  /** Least bytes that must move: each operand read or written once, twice where a sum over all stands between. */
  readonly bytes: number;
  /** Makes the data: only for layers that are run. */
  problem(): LadderProblem;
}

/** An op and every kernel there is for it. */
export interface Ladder {
  readonly name: string;
  readonly about: string;
  /** The engine's name of the op whose kernels these are. */
  readonly op: string;
  /** `precision`: of the convolutions' tensors; kernels that only move bytes are timed in f32 whatever it is. */
  layers(net: NetConfig, precision?: Precision): LadderLayer[];
}

/** Random numbers in [low, high), the same for the same seed. */
export function random(count: number, seed: number, low = -1, high = 1): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = low + (high - low) * uniform(seed, i);
  return out;
}

/** Layers of the same sizes become one, with their number. `name` is where the first of them stands. */
export function distinct(
  layers: readonly {
    readonly at: string;
    readonly sizes: string;
    make(name: string, count: number): LadderLayer;
  }[],
): LadderLayer[] {
  const counts = new Map<string, number>();
  for (const { sizes } of layers) counts.set(sizes, (counts.get(sizes) ?? 0) + 1);
  const seen = new Set<string>();
  return layers.flatMap(({ at, sizes, make }) => {
    if (seen.has(sizes)) return [];
    seen.add(sizes);
    return [make(`${at} ${sizes}`, counts.get(sizes) ?? 1)];
  });
}
