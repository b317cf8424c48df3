import type { Device } from '../../src/engine/device.js';
import { shippedTable } from '../../src/engine/tuning/shipped.js';
import type { TuningTable } from '../../src/engine/tuning/table.js';
import { tune } from '../../src/engine/tuning/tune.js';
import { CASES, type CaseName, type Context, type Suite } from '../context.js';
import { syntheticBatch } from '../peers/net.js';
import { Shadergrad } from '../peers/shadergrad.js';
import type { Row } from '../report.js';
import { interleave, type Sample } from '../timing.js';

/** What a tuning table gives: the training step with one that was just measured, with the one that ships, with none. */
export const tuning: Suite = {
  name: 'tuning',
  about: 'a training step with kernels chosen by a table measured here, by the table that ships, and by none',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) rows.push(...(await tuned(context, name)));
    return rows;
  },
};

async function trainer(context: Context, device: Device, name: CaseName, table: TuningTable | null) {
  const ours = new Shadergrad(device, context.options.precision, { tuning: table });
  await ours.setup(context.config(CASES[name]));
  return ours;
}

async function tuned(context: Context, name: CaseName): Promise<Row[]> {
  const { device } = context;
  const batch = syntheticBatch(CASES[name]);
  const plain = await trainer(context, device, name, null);
  const { table } = await tune(device, [await plain.trainPlan()], {
    onProblem: ({ done, total, problem }) => context.log(`${name}: tuning ${done}/${total} ${problem}`),
  });
  const shipped = shippedTable(device.facts);
  const all = new Map([
    ['measured here', await trainer(context, device, name, table)],
    ['no table', plain],
    ...(shipped ? [['shipped table', await trainer(context, device, name, shipped)] as const] : []),
  ]);
  try {
    for (const ours of all.values()) await ours.trainStep(batch);
    const works = [...all].map(([key, ours]) => [key, () => ours.trainStep(batch)] as const);
    const samples = await interleave(new Map(works), context.options.runs);
    const best = samples.get('measured here') as Sample;
    return [...samples].flatMap(([key, sample]): Row[] => {
      if (sample === best) return [];
      return [
        {
          suite: 'tuning',
          case: name,
          what: 'training step, table measured here',
          value: best.median,
          unit: 'ms',
          low: best.low,
          high: best.high,
          runs: best.runs,
          peer: key,
          peerValue: sample.median,
          peerLow: sample.low,
          peerHigh: sample.high,
          ratio: sample.median / best.median,
        },
      ];
    });
  } finally {
    for (const ours of all.values()) await ours.dispose();
  }
}
