/** What a matrix product needs to know of a kind of device: how many invocations fill it, how well a register tile does. */
import rolled from '../../shaders/conv2d/rolled.wgsl';
import unrolled from '../../shaders/conv2d/unrolled.wgsl';
import type { DeviceFacts, Shader } from '../kernel.js';

/** Invocations that a device of this kind holds at once, at two workgroups of 256 a core; a guess where kinds range widely. */
function resident({ software, kind }: DeviceFacts): number {
  if (software) return 1024;
  if (kind === 'nvidia' || kind === 'amd') return 65536;
  return 16384;
}

/** The piece that says whether compilers may unroll a product's inner loops. */
export function loopPiece({ software }: DeviceFacts): Shader {
  return software ? rolled : unrolled;
}

/** Of workgroup memory, that the piece takes. */
export function loopBytes({ software }: DeviceFacts): number {
  return software ? 4 : 0;
}

/** The part of the device that this many invocations fill, at most 1. */
export function fillOf(facts: DeviceFacts, invocations: number): number {
  return Math.min(1, invocations / resident(facts));
}

/**
 * Into how many parts to split a product's sums so that the device is full: 1 where it is anyway. `most` parts are worth
 * their second pass; the partial sums, `bytes` a part, must fit one binding.
 */
export function partsFor(
  facts: DeviceFacts,
  product: { readonly invocations: number; readonly most: number; readonly bytes: number },
): number {
  const wanted = Math.floor(resident(facts) / product.invocations);
  const room = Math.floor(facts.limits.maxStorageBufferBindingSize / product.bytes);
  return Math.max(1, Math.min(wanted, product.most, room));
}

/**
 * Expected share of the multiply-add ceiling of a product whose tiles are full. Of GPUs these are estimates from how
 * often a value serves once it is in a register or in workgroup memory, not yet measurements. 64 sums an invocation need
 * more registers than Intel has without spilling, and leave Apple's GPUs few subgroups to choose from.
 */
export function registerTileShare(facts: DeviceFacts, sums: 16 | 64, workgroupSums: number): number {
  // They run there, but barriers make them slow, and slower still to compile.
  if (facts.software) return 0.005;
  if (sums === 16) return workgroupSums >= 4096 ? 0.28 : 0.25;
  const full = facts.kind === 'intel' || facts.kind === 'apple' ? 0.2 : 0.45;
  return full * (workgroupSums >= 16384 ? 1 : workgroupSums >= 8192 ? 0.95 : 0.85);
}
