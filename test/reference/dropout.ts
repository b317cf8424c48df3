import { type Array64, numel } from './array.js';

/** Where a dropout happens: which run, which step, which dropout of the model. */
export interface DropoutPlace {
  readonly seed: number;
  readonly step: number;
  readonly stream: number;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The 32 bits that decide about element `index`; the numbers of shaders/common/random.wgsl, made here once more. */
export function dropoutBits({ seed, step, stream }: DropoutPlace, index: number): number {
  const key = mix(seed ^ mix(step ^ mix(stream + 0x9e3779b9)));
  return mix(mix(index + key) ^ (Math.imul(key, 0x9e3779b1) + 0x85ebca6b));
}

/** What dropout with probability `p` multiplies each element by: 0 or 1/(1-p). The index is the place in a contiguous tensor. */
export function dropoutMask(shape: readonly number[], p: number, place: DropoutPlace): Array64 {
  const threshold = Math.min(0xffffffff, Math.round(p * 2 ** 32));
  const scale = p < 1 ? 1 / (1 - p) : 0;
  const data = Float64Array.from({ length: numel(shape) }, (_, i) =>
    dropoutBits(place, i) >= threshold ? scale : 0,
  );
  return { shape, data };
}
