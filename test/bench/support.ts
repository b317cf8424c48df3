import { type BenchOptions, Context, type Host } from '../../bench/context.js';
import { openNodeDevice } from '../../src/node/device.js';

const host: Host = {
  openDevice: () => openNodeDevice(),
  startPeer: (name) => Promise.reject(new Error(`${name} is not part of this test.`)),
  log: () => {},
};

/** The bench without peers on the tiny net. */
export function benchContext(options: Partial<BenchOptions> = {}): Promise<Context> {
  return Context.open(host, { runs: 2, cases: ['tiny'], peers: [], ladder: { ops: [] }, ...options });
}
