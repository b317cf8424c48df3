import golden from '../../test/golden/bench.json' with { type: 'json' };
import type { Context, Suite } from '../context.js';
import { initialWeights, syntheticBatch, TINY } from '../peers/net.js';
import type { Peer } from '../peers/peer.js';
import { Shadergrad } from '../peers/shadergrad.js';
import type { Row } from '../report.js';

/** Largest relative difference from PyTorch's float64 loss that f32 arithmetic explains over these steps. */
export const TOLERANCE = 1e-4;

/** Do all contestants compute the same thing? Without that their times say nothing. */
export const check: Suite = {
  name: 'check',
  about: "the losses of everyone's first steps on a tiny net without dropout, against PyTorch in float64",
  async run(context) {
    const ours = new Shadergrad(context.device);
    const rows: Row[] = [];
    for (const peer of [ours, ...(await trainersOf(context))]) {
      context.log(`check: ${peer.name} ...`);
      const { loss, weights } = await deviations(peer);
      const base = { suite: 'check', case: 'tiny', unit: 'relative' };
      const row = (what: string, value: number): Row =>
        peer === ours
          ? { ...base, what, value }
          : { ...base, what, value: null, peer: peer.name, peerValue: value };
      rows.push(row('largest error of a loss', loss), row('error of the sum of all weights', weights));
      if (!(loss < TOLERANCE))
        context.log(`${peer.name} does not compute what the others do: its times mean nothing.`);
    }
    return rows;
  },
};

async function trainersOf(context: Context): Promise<Peer[]> {
  return (await context.peers('tfjs', 'jax-js')).map((metered) => {
    metered.used = true;
    return metered.peer;
  });
}

/** How far a peer's losses, and its weights after them, are from PyTorch's. */
export async function deviations(peer: Peer): Promise<{ loss: number; weights: number }> {
  const batch = syntheticBatch(TINY);
  await peer.setup({ net: TINY, weights: initialWeights(TINY), lr: golden.lr, momentum: golden.momentum });
  let loss = 0;
  for (const expected of golden.losses) {
    const off = Math.abs((await peer.trainStep(batch)) - expected) / expected;
    if (!(off <= loss)) loss = off;
  }
  let sum = 0;
  for (const values of (await peer.readWeights?.())?.values() ?? []) {
    for (const value of values) sum += Math.abs(value);
  }
  return { loss, weights: Math.abs(sum - golden.weights) / golden.weights };
}
