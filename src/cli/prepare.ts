import { openDataset } from '../data/dataset.js';
import { openTree } from '../data/node/files.js';
import { splitByPatient, writeSplit } from '../data/split.js';
import type { PrepareOptions } from './commands/prepare.js';
import { describeData, describeSplit } from './describeData.js';
import { atomicWrite } from './files.js';
import type { Io } from './io.js';
import { keepInputs } from './keepInputs.js';
import { splitRequest } from './splitFlags.js';

/** Checks every file of a data set, says what is there and how it is split, and writes the split where asked. */
export async function prepare(options: PrepareOptions, io: Io): Promise<void> {
  if (options.out !== undefined) await keepInputs('--out', options.out, [options.data]);
  const request = await splitRequest(options);
  const dataset = await openDataset(await openTree(options.data), { cacheBytes: 0 });
  try {
    const { report, name } = dataset;
    const tell = (lines: readonly string[]) => {
      if (!options.json) for (const line of lines) io.stdout.write(`${line}\n`);
    };
    // Told before the split, which may not be possible.
    tell(describeData(name, report));
    const split = splitByPatient(
      dataset.patients.map(({ id }) => id),
      request,
    );
    if (options.out !== undefined) await atomicWrite(options.out, writeSplit(split));
    if (options.json) {
      const patients = dataset.patients.map(({ id, slices }) => ({
        id,
        slices: slices.length,
        lesionSlices: slices.filter(({ lesion }) => lesion > 0).length,
        lesionPixels: slices.reduce((sum, { lesion }) => sum + lesion, 0),
      }));
      io.stdout.write(`${JSON.stringify({ data: name, report, split, patients })}\n`);
      return;
    }
    tell([...describeSplit(split), ...(options.out === undefined ? [] : [`wrote ${options.out}`])]);
  } finally {
    await dataset.close();
  }
}
