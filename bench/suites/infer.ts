import type { Suite } from '../context.js';
import type { Row } from '../report.js';

/** The forward pass without dropout, images up and probabilities down. */
export const infer: Suite = {
  name: 'infer',
  about:
    'inference of the U-Net, beside tfjs, jax-js and onnxruntime-web, and how far their results are from ours',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      const contest = await context.contest(name);
      const entrants = await contest.inferrers();
      const results = new Map<object, Float32Array>();
      for (const entrant of entrants) results.set(entrant, await entrant.peer.infer(contest.batch));
      const samples = await contest.race(entrants, (peer) => peer.infer(contest.batch));
      const ours = results.get(contest.ours) as Float32Array;
      rows.push(
        ...contest.rows({ suite: 'infer', what: 'inference', unit: 'ms' }, entrants, (entrant) =>
          samples.get(entrant),
        ),
        ...contest.rows(
          { suite: 'infer', what: 'first inference, compiling included', unit: 'ms' },
          entrants,
          (entrant) => entrant.firstInfer,
        ),
      );
      for (const entrant of entrants) {
        if (entrant === contest.ours) continue;
        const theirs = results.get(entrant) as Float32Array;
        rows.push({
          suite: 'infer',
          case: name,
          what: 'largest difference of a probability',
          value: largestDifference(ours, theirs),
          unit: '',
          peer: entrant.peer.name,
        });
      }
      const own = samples.get(contest.ours);
      if (own) {
        const value = contest.flops.forward / own.median / 1e6;
        rows.push({ suite: 'infer', case: name, what: 'rate', value, unit: 'GFLOP/s' });
      }
    }
    return rows;
  },
};

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length)
    throw new Error(`A peer gave ${b.length} probabilities where we gave ${a.length}.`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    // A NaN compares false with everything and must not pass for a zero.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
