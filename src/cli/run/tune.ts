import { dirname } from 'node:path';
import type { Device } from '../../engine/device.js';
import type { Plan } from '../../engine/plan/types.js';
import type { TuningTable } from '../../engine/tuning/table.js';
import { type TuneProgress, tune } from '../../engine/tuning/tune.js';
import { readTuning, tuningPath } from '../../node/tuningFile.js';
import type { TuneCommandOptions } from '../commands/tune.js';
import { atomicWrite, ensureFolder } from '../files.js';
import { watchInterrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { plural } from '../plural.js';
import { openCliDevice } from './device.js';
import { modelConfig, modelPlan } from './modelPlan.js';

/** Milliseconds between two savings while tuning goes on. */
const SAVE_EVERY = 5000;

/** `shadergrad tune`. */
export async function tuneModel(options: TuneCommandOptions, io: Io): Promise<void> {
  const { json } = options;
  const device = await openCliDevice({ ...options, tuning: false });
  const remarks = json ? io.stderr : io.stdout;
  const interrupt = watchInterrupt(() => void remarks.write('stopping; what was measured is kept\n'));
  try {
    const path = options.out ?? tuningPath(device.facts);
    const before = await readTuning(path);
    // A place where nothing can lie is told before, not after the measuring.
    await ensureFolder(dirname(path));
    const plans = plansOf(device, options);
    remarks.write(`measuring kernels on ${device.summary}, for at most ${options.budget} s\n`);
    const save = (table: TuningTable) => atomicWrite(path, tableText(table));
    let unsaved = false;
    let savedAt = performance.now();
    let saving: Promise<unknown> = Promise.resolve();
    const { table, measured, left } = await tune(device, plans, {
      table: before,
      budget: options.budget,
      stopped: () => interrupt.signal !== null || unsaved,
      onProblem: (progress, soFar) => {
        io.stdout.write(
          `${json ? JSON.stringify({ kind: 'problem', ...progress }) : progressText(progress)}\n`,
        );
        if (performance.now() - savedAt < SAVE_EVERY) return;
        savedAt = performance.now();
        saving = saving.then(() => save(soFar));
        // Told of at the end, which comes at once: what cannot be saved need not be measured.
        saving.catch(() => {
          unsaved = true;
        });
      },
    });
    await saving;
    if (measured > 0) await save(table);
    if (json) {
      io.stdout.write(`${JSON.stringify({ kind: 'done', measured, left, path, ceiling: table.ceiling })}\n`);
      return;
    }
    const rest = left > 0 ? `, ${left} left: run it again to go on` : '';
    io.stdout.write(
      `${plural(measured, 'problem')} measured${rest}; ${measured > 0 ? `wrote ${path}` : `${path} stays as it is`}\n`,
    );
  } finally {
    interrupt.dispose();
    await device.close();
  }
}

/** What is run of a model: training, evaluation (whose shapes are those of training), and prediction of one image. */
function plansOf({ facts }: Device, options: TuneCommandOptions): Plan[] {
  const config = modelConfig(options, facts);
  const choice = { tuning: null };
  const predict = modelPlan(facts, { ...config, batchSize: 1 }, true, choice);
  return options.inference ? [predict] : [modelPlan(facts, config, false, choice), predict];
}

/** A line for each entry, so that people can read it too. */
export function tableText({ entries, ...head }: TuningTable): string {
  const lines = Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => `    ${JSON.stringify(key)}: ${JSON.stringify(entry)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "entries": {\n${lines.join(',\n')}\n  }\n}\n`;
}

function progressText({ done, total, problem, entry, failures }: TuneProgress): string {
  const times = Object.entries(entry.milliseconds)
    .sort(([, a], [, b]) => a - b)
    .map(([name, ms]) => `${name} ${ms.toPrecision(3)} ms`);
  const failed = Object.entries(failures).map(([name, why]) => `${name} is left out (${why})`);
  return `${done}/${total}  ${problem}: ${[...times, ...failed].join(', ')}`;
}
