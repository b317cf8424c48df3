import { fail } from './errors.js';
import { byteLength } from './kernel.js';
import type { Parameter } from './tensor.js';

/**
 * Parameters start at multiples of this. Bind offsets must be multiples of 256 on every adapter (the default limit, and
 * the largest allowed); a copy of the buffer in f16 has everything at half the offset.
 */
export const PARAMETER_ALIGN = 512;

/** A flat buffer of parameters that are placed together, so that one optimiser launch reaches all of them. */
export interface StateBuffer {
  readonly id: number;
  bytes: number;
  readonly parameters: Parameter[];
}

export interface Home {
  readonly buffer: StateBuffer;
  readonly byteOffset: number;
}

const homes = new WeakMap<Parameter, Home>();
let buffers = 0;

/** Where a parameter lives; undefined until it was placed. */
export function homeOf(parameter: Parameter): Home | undefined {
  return homes.get(parameter);
}

/** The home of a parameter that must have one. */
export function placeOf(parameter: Parameter): Home {
  return homes.get(parameter) ?? fail(`plan: parameter ${parameter.name} has no place.`);
}

/**
 * Gives a home to those of `parameters` that have none: one after the other in as few flat buffers of at most `limit`
 * bytes as hold them. A parameter larger than that gets its own, and the plan refuses it with figures.
 */
export function place(parameters: readonly Parameter[], limit: number): void {
  let open: StateBuffer | null = null;
  for (const parameter of parameters) {
    if (homes.has(parameter)) continue;
    const bytes = Math.ceil(byteLength(parameter.shape, parameter.dtype) / PARAMETER_ALIGN) * PARAMETER_ALIGN;
    if (!open || open.bytes + bytes > limit) open = { id: buffers++, bytes: 0, parameters: [] };
    homes.set(parameter, { buffer: open, byteOffset: open.bytes });
    open.parameters.push(parameter);
    open.bytes += bytes;
  }
}
