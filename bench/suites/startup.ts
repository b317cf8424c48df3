import type { Suite } from '../context.js';
import type { Row } from '../report.js';

/** What a user waits for before the first result. */
export const startup: Suite = {
  name: 'startup',
  about: 'time from an open device to the end of the first training step, with no kernel compiled before',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      const contest = await context.contest(name);
      const known = contest.ours.metered.used;
      const entrants = known ? contest.all() : await contest.trainers();
      rows.push(
        ...contest.rows(
          { suite: 'startup', what: 'to the first step', unit: 'ms' },
          entrants,
          (e) => e.firstStep,
        ),
      );
    }
    return rows;
  },
};
