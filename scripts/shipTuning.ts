// Measures the tuning tables that ship: npm run tuning -- [ADAPTER...] [--budget SECONDS]
// Without names: every adapter that a table ships for. Writes src/engine/tuning/shipped/ADAPTER.ts.
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../src/cli/files.js';
import { modelPlan } from '../src/cli/run/modelPlan.js';
import type { DeviceFacts } from '../src/engine/kernel.js';
import type { Plan } from '../src/engine/plan/types.js';
import { tune } from '../src/engine/tuning/tune.js';
import { openNodeDevice } from '../src/node/device.js';
import { smallPreset } from '../src/unet/config.js';
import { shippedEntries } from './shippedEntries.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { budget: { type: 'string', default: '600' } },
});

/** The small preset and the bench's small net (docs/bench.md), training and prediction of one image. */
function plansOf(facts: DeviceFacts): Plan[] {
  const bench = { ...smallPreset, batchSize: 4, model: { ...smallPreset.model, baseChannels: 16 } };
  return [bench, smallPreset].flatMap((config) => [
    modelPlan(facts, config, false, { tuning: null }),
    modelPlan(facts, { ...config, batchSize: 1 }, true, { tuning: null }),
  ]);
}

const folder = join(dirname(process.argv[1] as string), '../src/engine/tuning/shipped');
for (const adapter of positionals.length > 0 ? positionals : ['llvmpipe', 'swiftshader']) {
  const device = await openNodeDevice({ adapter });
  try {
    const { kind } = device.facts;
    const plans = plansOf(device.facts);
    const { table, measured, left } = await tune(device, plans, {
      budget: Number(values.budget),
      onProblem: ({ done, total, problem, entry }) =>
        console.log(`${kind} ${done}/${total}  ${problem}: ${JSON.stringify(entry.milliseconds)}`),
    });
    const choices = plans.flatMap(({ steps }) => steps.flatMap(({ choice }) => choice ?? []));
    const entries = shippedEntries(table, choices);
    const lines = Object.entries(entries).map(
      ([variant, keys]) =>
        `  ${/^\w+$/.test(variant) ? variant : `'${variant}'`}: [\n${keys.map((key) => `    '${key}',\n`).join('')}  ],\n`,
    );
    const path = join(folder, `${kind}.ts`);
    await atomicWrite(
      path,
      `// Made by npm run tuning. The best kernel for each problem, where it is not the one that is expected.
import type { ShippedEntries } from '../shipped.js';

export const ${kind}: ShippedEntries = {${lines.length > 0 ? `\n${lines.join('')}` : ''}};
`,
    );
    console.log(`${kind}: ${measured} problems measured, ${left} left out; wrote ${path}`);
  } finally {
    await device.close();
  }
}
