import type { Suite } from '../context.js';
import type { Row } from '../report.js';

/** The whole training step, side by side. */
export const step: Suite = {
  name: 'step',
  about: 'a training step of the U-Net (forward, loss, gradients, SGD with momentum), beside tfjs and jax-js',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      const contest = await context.contest(name);
      const entrants = await contest.trainers();
      // One more before timing: some peers still compile in their second step.
      for (const { peer } of entrants) await peer.trainStep(contest.batch);
      const samples = await contest.race(entrants, (peer) => peer.trainStep(contest.batch));
      rows.push(
        ...contest.rows({ suite: 'step', what: 'training step', unit: 'ms' }, entrants, (entrant) =>
          samples.get(entrant),
        ),
        ...contest.rows(
          { suite: 'step', what: 'first step, compiling included', unit: 'ms' },
          entrants,
          (entrant) => entrant.firstStep,
        ),
      );
      const own = samples.get(contest.ours);
      if (own) {
        const base = { suite: 'step', case: name };
        rows.push({ ...base, what: 'rate', value: contest.flops.step / own.median / 1e6, unit: 'GFLOP/s' });
        rows.push({
          ...base,
          what: 'throughput',
          value: (contest.net.batch * 1000) / own.median,
          unit: 'images/s',
        });
      }
    }
    return rows;
  },
};
