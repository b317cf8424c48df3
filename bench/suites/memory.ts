import type { Suite } from '../context.js';
import type { Meter } from '../meter.js';
import type { Row } from '../report.js';

const STEPS = 5;
const MIB = 2 ** 20;

/** GPU memory of training, counted where buffers are made, and what a running step creates. */
export const memory: Suite = {
  name: 'memory',
  about:
    'peak GPU buffers of a training step beside tfjs, jax-js and the least the plan can name; what a step creates',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      const contest = await context.contest(name);
      const entrants = await contest.trainers();
      const made = new Map<object, Meter>();
      for (const entrant of entrants) {
        await entrant.peer.trainStep(contest.batch);
        const before = { ...entrant.meter };
        for (let i = 0; i < STEPS; i++) await entrant.peer.trainStep(contest.batch);
        made.set(entrant, perStep(before, entrant.meter));
      }
      const { memory: planned } = await contest.ours.peer.trainPlan();
      const base = { suite: 'memory', case: name };
      rows.push(
        ...contest.rows(
          { suite: 'memory', what: 'peak of GPU buffers', unit: 'MiB' },
          entrants,
          (e) => e.meter.peak / MIB,
        ),
      );
      rows.push({
        ...base,
        what: 'planned: inputs, intermediates, scratch, outputs',
        value: planned.transient / MIB,
        unit: 'MiB',
      });
      rows.push({
        ...base,
        what: 'least of the same for these kernels',
        value: planned.least / MIB,
        unit: 'MiB',
      });
      rows.push({ ...base, what: 'planned over least', value: planned.transient / planned.least, unit: '' });
      rows.push({ ...base, what: 'parameters and momentum', value: planned.state / MIB, unit: 'MiB' });
      for (const [what, key] of [
        ['buffers made a step', 'buffers'],
        ['bind groups made a step', 'bindGroups'],
        ['pipelines made a step', 'pipelines'],
        ['dispatches a step', 'dispatches'],
        ['submissions a step', 'submits'],
      ] as const) {
        // A count of none has no ratio.
        const counts = contest.rows({ suite: 'memory', what, unit: '' }, entrants, (e) => made.get(e)?.[key]);
        rows.push(
          ...counts.map(({ ratio, ...row }) => (row.value ? { ...row, ...(ratio ? { ratio } : {}) } : row)),
        );
      }
    }
    return rows.map(({ note, ...row }) => row);
  },
};

function perStep(before: Meter, after: Meter): Meter {
  const each = (key: keyof Meter): number => (after[key] - before[key]) / STEPS;
  return {
    bytes: each('bytes'),
    peak: after.peak,
    buffers: each('buffers'),
    bindGroups: each('bindGroups'),
    pipelines: each('pipelines'),
    dispatches: each('dispatches'),
    submits: each('submits'),
  };
}
