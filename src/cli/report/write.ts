import { basename, resolve } from 'node:path';
import { atomicWrite, exists, readBytes } from '../files.js';
import { keepInputs } from '../keepInputs.js';
import { openRun } from '../runFolder.js';
import { chartLibrary } from './chartLibrary.js';
import { reportPage } from './page.js';

/** More samples would make the page heavy. */
const MOST_SAMPLES = 16;

/**
 * Writes the report of a run from what the run saved.
 * @param out the file; `report.html` in the run's folder when left out
 * @returns the file's path
 * @throws RunError or FileError when the run cannot be read or the report not be written
 */
export async function writeReport(root: string, out?: string): Promise<string> {
  const run = await openRun(root);
  const { report, ...read } = run.paths;
  if (out !== undefined) await keepInputs('--out', out, Object.values(read));
  const records = await run.readMetrics();
  const page = reportPage({
    title: basename(resolve(root)),
    config: await run.readConfig(),
    epochs: records.filter((record) => record.kind === 'epoch'),
    steps: records.filter((record) => record.kind === 'step'),
    summary: await run.readSummary(),
    samples: await run.readOverlays(MOST_SAMPLES),
    evaluation: (await exists(run.paths.evaluation)) ? await readBytes(run.paths.evaluation) : null,
    library: await chartLibrary(),
  });
  const path = out ?? report;
  await atomicWrite(path, page);
  return path;
}
