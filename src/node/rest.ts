/**
 * Dawn's binding asks for results in every turn of the event loop and so keeps a core busy for as long as anything is
 * awaited: on an adapter that runs on the CPU, a core that the kernels need.
 */

/** Longest sleep: as long as other work of the thread may have to wait in a turn. */
const MOST_MS = 1;
/** Of the time waited so far: results come at most this much later than they could. */
const SHARE = 1 / 64;

const cell = new Int32Array(new SharedArrayBuffer(4));
const open = new Set<() => boolean>();
let newest = 0;

/** For {@link OpenDeviceOptions.onWait}: lets the thread sleep in each turn of the event loop while a wait is open. */
export function restWhile(isOpen: () => boolean): void {
  newest = performance.now();
  if (open.size === 0) schedule();
  open.add(isOpen);
}

function turn(): void {
  for (const isOpen of open) if (!isOpen()) open.delete(isOpen);
  if (open.size === 0) return;
  Atomics.wait(cell, 0, 0, Math.min(MOST_MS, (performance.now() - newest) * SHARE));
  schedule();
}

// A wait that never ends must not keep the process alive.
function schedule(): void {
  setImmediate(turn).unref();
}
