/** What bounds kernels on known kinds of devices, where the device at hand was not measured. */
import type { Ceiling } from './table.js';

export interface KnownCeiling {
  readonly ceiling: Ceiling;
  /** Where the figures are from. */
  readonly from: string;
}

const known: Readonly<Record<string, KnownCeiling>> = {
  llvmpipe: {
    ceiling: { gflops: 95, gbps: 2.8, launch: 55 },
    from: 'two cores of a server, measured by the bench',
  },
  swiftshader: {
    ceiling: { gflops: 40, gbps: 0.5, launch: 12 },
    from: 'two cores of a server, measured by the bench',
  },
  nvidia: {
    ceiling: { gflops: 66_900, gbps: 3350, launch: 0 },
    from: "an H100 SXM's data sheet; another card has other figures",
  },
};

/** The figures for a kind of device; null where none are known. */
export function knownCeiling(kind: string): KnownCeiling | null {
  return (Object.hasOwn(known, kind) ? known[kind] : undefined) ?? null;
}
