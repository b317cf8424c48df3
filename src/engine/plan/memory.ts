import type { Store } from './storage.js';

/** Offsets of bindings are multiples of this on every device. */
const ALIGN = 256;

/** Steps of a program, counted by launch, in which a store holds something; both ends included. */
export interface Lifetime {
  readonly store: Store;
  first: number;
  last: number;
  /** Stores of which one launch reads the one and writes the other. */
  readonly apart: Set<Store>;
}

export interface Assigned {
  /** Buffer of each store, and the byte at which it begins there. */
  readonly places: ReadonlyMap<Store, { readonly buffer: number; readonly at: number }>;
  /** Bytes of each buffer. */
  readonly sizes: readonly number[];
}

interface Tenant {
  readonly life: Lifetime;
  readonly at: number;
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, n) => total + n, 0);

function endOf({ life, at }: Tenant): number {
  return at + Math.ceil(life.store.bytes / ALIGN) * ALIGN;
}

/** Where a store fits among those that lie in a buffer in its lifetime; undefined where it must not. */
function placeIn(tenants: readonly Tenant[], life: Lifetime, bytes: number): number | undefined {
  const there = tenants.filter((other) => other.life.first <= life.last && life.first <= other.life.last);
  // Alone, it may begin at 0 and the buffer may grow.
  if (there.length === 0) return 0;
  // WebGPU refuses a buffer bound for reading and for writing in one dispatch even where the ranges differ.
  if (there.some((other) => life.apart.has(other.life.store))) return undefined;
  let at = 0;
  for (const other of there.sort((a, b) => a.at - b.at)) {
    if (at + life.store.bytes <= other.at) break;
    at = Math.max(at, endOf(other));
  }
  // What the caller writes begins where its buffer does.
  return at + life.store.bytes > bytes || (life.first < 0 && at > 0) ? undefined : at;
}

/**
 * Buffers are reused, and shared at the same time by stores that no dispatch reads and writes together. Taking the stores in
 * the given order, each goes to the buffer that fits it most closely; none grows beyond its largest store.
 */
function greedy(lifetimes: readonly Lifetime[]): Assigned {
  const buffers: { bytes: number; tenants: Tenant[] }[] = [];
  const places = new Map<Store, { buffer: number; at: number }>();
  for (const life of lifetimes) {
    const need = life.store.bytes;
    let best = buffers.length;
    let bestCost = need;
    let at = 0;
    buffers.forEach(({ bytes, tenants }, i) => {
      const place = placeIn(tenants, life, bytes);
      if (place === undefined) return;
      // Growing a buffer costs what it grows by; a buffer too large costs a little, so that close fits win.
      const cost = need > bytes ? need - bytes : (bytes - need) * 1e-3;
      if (cost < bestCost) [best, bestCost, at] = [i, cost, place];
    });
    buffers[best] ??= { bytes: 0, tenants: [] };
    const target = buffers[best] as (typeof buffers)[number];
    target.bytes = Math.max(target.bytes, need);
    target.tenants.push({ life, at });
    places.set(life.store, { buffer: best, at });
  }
  return { places, sizes: buffers.map((b) => b.bytes) };
}

/** Larger ones first; of equal ones in a few orders, of which the smallest result is kept. All are deterministic. */
export function assignBuffers(lifetimes: readonly Lifetime[]): Assigned {
  const ties: ((l: Lifetime) => number)[] = [(l) => l.first, (l) => l.first - l.last, (l) => -l.first];
  return ties
    .map((tie) => greedy([...lifetimes].sort((a, b) => b.store.bytes - a.store.bytes || tie(a) - tie(b))))
    .reduce((best, next) => (sum(next.sizes) < sum(best.sizes) ? next : best));
}

/** The largest sum of live bytes at any step. */
export function leastBytes(lifetimes: readonly Lifetime[], steps: number): number {
  let most = 0;
  for (let step = -1; step <= steps; step++) {
    const live = lifetimes.filter(({ first, last }) => first <= step && step <= last);
    most = Math.max(most, sum(live.map(({ store }) => store.bytes)));
  }
  return most;
}
