import type { Store } from './storage.js';

/** Steps of a program, counted by launch, in which a store holds something; both ends included. */
export interface Lifetime {
  readonly store: Store;
  first: number;
  last: number;
}

export interface Assigned {
  /** Buffer index of each store. */
  readonly buffer: ReadonlyMap<Store, number>;
  /** Bytes of each buffer. */
  readonly sizes: readonly number[];
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/**
 * Whole buffers are reused, never ranges of one: WebGPU refuses a buffer bound for reading and for writing in one
 * dispatch even where the ranges differ. Taking the stores in the given order, each goes to the buffer, free in its
 * lifetime, that fits it most closely.
 */
function greedy(lifetimes: readonly Lifetime[]): Assigned {
  const buffers: { bytes: number; users: Lifetime[] }[] = [];
  const buffer = new Map<Store, number>();
  for (const life of lifetimes) {
    const need = life.store.bytes;
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    buffers.forEach((candidate, i) => {
      if (candidate.users.some((other) => overlap(other, life))) return;
      // Growing a buffer costs what it grows by; a buffer too large costs a little, so that close fits win.
      const cost = need > candidate.bytes ? need - candidate.bytes : (candidate.bytes - need) * 1e-3;
      if (cost < bestCost) {
        bestCost = cost;
        best = i;
      }
    });
    if (best < 0 || bestCost >= need) {
      best = buffers.length;
      buffers.push({ bytes: 0, users: [] });
    }
    const target = buffers[best] as (typeof buffers)[number];
    target.bytes = Math.max(target.bytes, need);
    target.users.push(life);
    buffer.set(life.store, best);
  }
  return { buffer, sizes: buffers.map((b) => b.bytes) };
}

/** Tries a few orders and keeps the smallest result; all are deterministic. */
export function assignBuffers(lifetimes: readonly Lifetime[]): Assigned {
  const length = (l: Lifetime) => l.last - l.first;
  const larger = (a: Lifetime, b: Lifetime) => b.store.bytes - a.store.bytes;
  const orders: ((a: Lifetime, b: Lifetime) => number)[] = [
    (a, b) => larger(a, b) || a.first - b.first,
    (a, b) => larger(a, b) || length(b) - length(a),
    (a, b) => a.first - b.first || larger(a, b),
    (a, b) => length(b) * b.store.bytes - length(a) * a.store.bytes,
  ];
  const total = (a: Assigned) => a.sizes.reduce((sum, n) => sum + n, 0);
  return orders
    .map((order) => greedy([...lifetimes].sort(order)))
    .reduce((best, next) => (total(next) < total(best) ? next : best));
}

/** The largest sum of live bytes at any step. */
export function leastBytes(lifetimes: readonly Lifetime[], steps: number): number {
  const change = new Float64Array(steps + 2);
  for (const { store, first, last } of lifetimes) {
    change[first + 1] = (change[first + 1] as number) + store.bytes;
    if (last + 2 < change.length) change[last + 2] = (change[last + 2] as number) - store.bytes;
  }
  let live = 0;
  let most = 0;
  for (const delta of change) {
    live += delta;
    most = Math.max(most, live);
  }
  return most;
}
