import { restWhile } from '../../src/node/rest.js';
import type { Peer } from '../peers/peer.js';

/**
 * A peer whose waits leave the cores to its kernels, as our own device's do in Node: what is compared are engines, not how
 * Dawn's binding waits.
 */
export function resting(peer: Peer): Peer {
  const { readWeights } = peer;
  return {
    name: peer.name,
    version: peer.version,
    note: peer.note,
    trains: peer.trains,
    setup: (config) => rest(peer.setup(config)),
    trainStep: (batch) => rest(peer.trainStep(batch)),
    infer: (batch) => rest(peer.infer(batch)),
    ...(readWeights && { readWeights: () => rest(readWeights.call(peer)) }),
    dispose: () => peer.dispose(),
  };
}

async function rest<T>(work: Promise<T>): Promise<T> {
  let open = true;
  restWhile(() => open);
  try {
    return await work;
  } finally {
    open = false;
  }
}
