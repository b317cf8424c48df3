import lanes1 from '../../shaders/common/lanes1.wgsl';
import lanes4 from '../../shaders/common/lanes4.wgsl';
import { type Constants, type Lowering, numel, type Operand, prefixed, type Shader } from '../kernel.js';
import { grid1d } from './grid.js';

/** How many axes the kernels walk; `src/shaders/common/strided.wgsl` has as many. */
export const MAX_RANK = 6;

/** Axes walked together by several operands: one size for each, and for every operand its strides along them. */
export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Strides of `x` seen as a tensor of `shape`: aligned at the last axis, 0 along axes that repeat, as in PyTorch.
 *
 * @throws where `x` does not broadcast to `shape`.
 */
export function broadcastStrides(x: Operand, shape: readonly number[], what: string): number[] {
  const lead = shape.length - x.shape.length;
  const fits = lead >= 0 && x.shape.every((size, i) => size === 1 || size === shape[i + lead]);
  if (!fits) throw new Error(`${what}: an operand of shape [${x.shape}] does not broadcast to [${shape}].`);
  return shape.map((_, i) =>
    i < lead || x.shape[i - lead] === 1 ? 0 : (x.layout.strides[i - lead] as number),
  );
}

/**
 * The same walk over fewer axes: drops those of size 1 and merges neighbours that lie as one axis in every operand.
 * The row-major order of elements is kept.
 */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Walk {
  const merged: number[] = [];
  const out: number[][] = strides.map(() => []);
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const last = merged.length - 1;
    const joins =
      last >= 0 &&
      out.every((s, k) => (s[last] as number) === size * ((strides[k] as number[])[axis] as number));
    if (joins) merged[last] = (merged[last] as number) * size;
    else merged.push(size);
    out.forEach((s, k) => {
      const stride = (strides[k] as number[])[axis] as number;
      if (joins) s[last] = stride;
      else s.push(stride);
    });
  });
  return { shape: merged, strides: out };
}

/** Four where every operand (given by offset and strides) can be walked in aligned runs of four along the last axis, else one. */
export function lanesOf(walk: Walk, offsets: readonly number[], splat: readonly boolean[] = []): 1 | 4 {
  const last = walk.shape.length - 1;
  if (last < 0 || (walk.shape[last] as number) % 4 !== 0) return 1;
  const runs = walk.strides.every((strides, k) => {
    if (splat[k]) return true;
    const outer = strides.slice(0, last);
    return strides[last] === 1 && (offsets[k] as number) % 4 === 0 && outer.every((s) => s % 4 === 0);
  });
  return runs ? 4 : 1;
}

/** True where an operand holds one value along the last axis of the walk. */
export function isSplat(walk: Walk, k: number): boolean {
  return walk.shape.length > 0 && (walk.strides[k] as readonly number[])[walk.shape.length - 1] === 0;
}

/** Shape in units of `lanes` along its last axis, filled up to the six axes of the kernels. */
export function walkShape(shape: readonly number[], lanes: number): number[] {
  if (shape.length > MAX_RANK)
    throw new Error(`A kernel walks at most ${MAX_RANK} axes, but [${shape}] has ${shape.length}.`);
  const padded = shape.map((size, i) => (i === shape.length - 1 ? size / lanes : size));
  while (padded.length < MAX_RANK) padded.push(1);
  return padded;
}

/** Strides in units of `lanes`: the last axis steps by whole runs, which lie next to each other. */
export function walkStrides(strides: readonly number[], lanes: number): number[] {
  if (strides.some((s) => s < 0))
    throw new Error(`A kernel walks forwards only, but the strides are [${strides}].`);
  const padded = strides.map((s, i) => (i === strides.length - 1 ? s : s / lanes));
  while (padded.length < MAX_RANK) padded.push(0);
  return padded;
}

export function lanesPiece(lanes: 1 | 4): Shader {
  return lanes === 4 ? lanes4 : lanes1;
}

/** Four where all of these flat operands can be read in aligned runs of four, else one. */
export function flatLanes(...operands: readonly Operand[]): 1 | 4 {
  return operands.every((x) => x.layout.offset % 4 === 0 && numel(x.shape) % 4 === 0) ? 4 : 1;
}

/** Offset and strides of one operand of a walk as the constants `NAME_OFFSET` and `NAME_STRIDES`, in units of `lanes`. */
export function walkPlace(
  name: string,
  offset: number,
  strides: readonly number[],
  lanes: number,
): Constants {
  return prefixed(name, { OFFSET: offset / lanes, STRIDES: walkStrides(strides, lanes) });
}

/** Invocations in a workgroup of the kernels that do one thing an invocation: enough for a GPU, allowed everywhere. */
export const WORKGROUP = 64;

/** What a launch may know of where it will run; what is not known is taken for a GPU. */
export type Target = Pick<Lowering, 'facts'>;

/** A COUNT that no grid reaches. Not the largest: a minimum with that is no minimum to a compiler, which then unrolls. */
const ENDLESS = 2 ** 31 - 1;

/**
 * A grid for `count` Vs, each invocation handling RUN neighbouring ones. On a GPU that is one, so that neighbouring
 * invocations touch neighbouring memory. On an adapter that runs on the CPU it is a cache line, which measured 1.5 to 2
 * times as fast there. The kernels' loops end at a minimum of two bounds so that no compiler unrolls them: unrolled they
 * ran no faster and took three times as long to compile.
 *
 * Where the grid has neither more nor less than `count`, the kernel is not told: so launches of many sizes share a pipeline.
 */
export function runGrid(
  count: number,
  lanes: number,
  target: Target | undefined,
): { workgroups: readonly [number, number, number]; constants: Constants } {
  const run = target?.facts.software ? 16 / lanes : 1;
  const { workgroups, constants } = grid1d(Math.ceil(count / run), WORKGROUP);
  const exact = count === workgroups[0] * workgroups[1] * WORKGROUP * run;
  return { workgroups, constants: { ...constants, WORKGROUP, RUN: run, COUNT: exact ? ENDLESS : count } };
}
