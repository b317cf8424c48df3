/** Whether kernels that solve one problem give the same result: one that is fast and wrong must not win. */
import type { PlanOutput } from '../plan/types.js';
import { hostView, type Program } from '../program/program.js';
import { mapRead } from '../program/usage.js';

/** Ranges of a result that are looked at, spread over all of it, and bytes of each. */
const RANGES = 8;
const RANGE_BYTES = 16384;
/** Norm of the difference over the norm of the result: far above what rounding does in any kernel, in f16 too. */
const LIMIT = 0.01;

/** A part of what the program's last run left as `output`: of the same elements for every kernel of a problem. */
export async function sampleResult(program: Program, output: PlanOutput): Promise<Float32Array> {
  const { buffer, byteOffset, dtype } = output;
  const bytes = Math.floor(output.bytes / 4) * 4;
  const size = Math.min(bytes, RANGE_BYTES);
  const values: number[] = [];
  if (size === 0) return Float32Array.from(values);
  for (let i = 0; i < (size < bytes ? RANGES : 1); i++) {
    const from = Math.floor(((bytes - size) * i) / (RANGES - 1) / 4) * 4;
    const data = await mapRead(program.device, program.bufferAt(buffer), size, byteOffset + from);
    values.push(...hostView(dtype, data, [size / (dtype === 'f16' ? 2 : 4)]));
  }
  return Float32Array.from(values);
}

/** A kernel and {@link sampleResult} of it. */
export interface Sampled {
  readonly name: string;
  readonly sample: Float32Array;
}

/**
 * The kernels whose result is not that of most, by name, with the reason. Where as many say one thing as another, those
 * at the end of the list are believed: it begins with the fastest, and the plainest are the least likely to be wrong.
 */
export function outvoted(kernels: readonly Sampled[]): Record<string, string> {
  const votes = kernels.map(({ sample }) => kernels.filter((other) => agree(sample, other.sample)).length);
  const most = kernels[votes.lastIndexOf(Math.max(...votes))];
  const wrong: Record<string, string> = {};
  for (const { name, sample } of kernels) {
    if (most && !agree(sample, most.sample)) wrong[name] = `its result is not that of ${most.name}`;
  }
  return wrong;
}

/** False where either has a NaN. */
function agree(a: Float32Array, b: Float32Array): boolean {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (a[i] as number) ** 2 + (b[i] as number) ** 2;
  }
  return difference <= LIMIT ** 2 * norm;
}
