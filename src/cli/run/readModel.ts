/** A trained model from a run's folder or a safetensors file: weights, what they were trained for, and sentences that name the file. */
import { stat } from 'node:fs/promises';
import { decodeWeights, type Weights } from '../../unet/checkpoint.js';
import { isThreshold, ownThreshold } from '../../unet/threshold.js';
import { exists, readBytes } from '../files.js';
import { plural } from '../plural.js';
import { openRun, RunError, runPaths } from '../runFolder.js';

/** Of a slice. */
const CHANNELS = 3;

/** A model as it was read. */
export interface ReadModel {
  /** The weights' file. */
  readonly path: string;
  readonly weights: Weights;
  /** Above which a pixel is lesion, as the run had it; null where neither file nor folder tells. */
  readonly threshold: number | null;
}

/**
 * Weights of a safetensors file, or of a run folder's `which` checkpoint.
 * @throws RunError when they are not of slices to masks, or the file contradicts itself
 */
export async function readModel(model: string, which: 'best' | 'last' = 'best'): Promise<ReadModel> {
  const run = await isFolder(model);
  const path = run ? await checkpointOf(model, which) : model;
  const bytes = await readBytes(path);
  const weights = naming(path, () => decodeWeights(bytes, path));
  const { inChannels, outChannels, depth } = weights.config;
  if (inChannels !== CHANNELS || outChannels !== 1) {
    throw new RunError(
      `${path} is of a U-Net from ${inChannels} to ${plural(outChannels, 'channel')}, but slices have ${CHANNELS} and masks 1; take another checkpoint.`,
    );
  }
  const { size } = weights.preparation;
  const multiple = 2 ** (depth - 1);
  if (size !== null && size % multiple !== 0) {
    throw new RunError(
      `${path} contradicts itself: with depth ${depth} its size must be a multiple of ${multiple}, not ${size}; take another file.`,
    );
  }
  return { path, weights, threshold: await thresholdOf(run ? model : null, path, weights) };
}

/** The result of `work`, whose errors get to name the file and what to do. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    const named = told.startsWith(path) ? told : `${path}: ${told}`;
    const sentence = named.includes('; ') ? named : `${named.replace(/\.$/, '')}; take another file.`;
    throw new RunError(sentence, { cause: error });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function checkpointOf(folder: string, which: 'best' | 'last'): Promise<string> {
  const paths = runPaths(folder);
  if (await exists(paths[which])) return paths[which];
  throw new RunError(
    (await exists(paths.config))
      ? `${folder} has no ${which}.safetensors yet: train at least one epoch, or name a safetensors file.`
      : `${folder} is no run folder: it has neither config.json nor ${which}.safetensors; give a folder that train wrote, or a safetensors file.`,
  );
}

/** The run's own; files of before it was kept in them are told by their folder alone. */
async function thresholdOf(run: string | null, path: string, weights: Weights): Promise<number | null> {
  if (run === null || !(await exists(runPaths(run).config))) return naming(path, () => ownThreshold(weights));
  const { threshold } = await (await openRun(run)).readConfig();
  if (isThreshold(threshold)) return threshold;
  throw new RunError(
    `${runPaths(run).config} has a threshold of ${String(threshold)}, which is not from 0 to below 1; put the run's own file back.`,
  );
}
