import { stat } from 'node:fs/promises';
import {
  decodeResume,
  decodeWeights,
  encodeResume,
  encodeWeights,
  restoreOptimizer,
  type Weights,
} from '../../unet/checkpoint.js';
import type { TrainConfig } from '../../unet/config.js';
import type { Progress, Trainer } from '../../unet/train.js';
import { exists, readBytes } from '../files.js';
import { plural } from '../plural.js';
import { RunError, type RunFolder, runPaths } from '../runFolder.js';
import { VERSION } from '../version.js';
import type { BestSoFar } from './best.js';

/** Of a slice. */
const CHANNELS = 3;

/** @param progress where to go on: an epoch that is trained and not yet validated is at its last batch */
export async function saveResume(
  run: RunFolder,
  trainer: Trainer,
  best: BestSoFar,
  progress: Progress = trainer.progress,
): Promise<void> {
  const { config } = trainer;
  await run.write(
    'resume',
    await encodeResume(
      trainer.model,
      trainer.optimizer,
      { size: config.size },
      { config, progress, extra: best },
    ),
  );
}

export async function saveWeights(
  run: RunFolder,
  trainer: Trainer,
  which: ('last' | 'best')[],
  epoch: number,
): Promise<void> {
  const chunks = await encodeWeights(
    trainer.model,
    { size: trainer.config.size },
    { epoch: `${epoch}`, shadergrad: VERSION },
  );
  for (const name of which) await run.write(name, chunks);
}

/**
 * The resume file of a run; weights and optimiser go in by `load`.
 * @param training the run's own configuration @throws when the file is damaged or is of another run
 */
export async function readResume(
  run: RunFolder,
  training: TrainConfig,
): Promise<{
  best: BestSoFar;
  load: (trainer: Trainer) => void;
  step: number;
  epochs: number;
}> {
  const path = run.paths.resume;
  const { file, facts, weights } = decodeResume(await readBytes(path), path);
  if (JSON.stringify(facts.config) !== JSON.stringify(training)) {
    throw new RunError(
      `${path} is of another run: its settings differ from those in ${run.paths.config}; put the run's own file back, or start a new run.`,
    );
  }
  return {
    best: facts.extra as BestSoFar,
    step: facts.progress.step,
    epochs: facts.progress.epoch,
    load(trainer) {
      trainer.model.loadStateDict(weights.state);
      restoreOptimizer(trainer.optimizer, file, path);
      trainer.resume(facts.progress);
    },
  };
}

/** Weights of a safetensors file, or of a run folder's `which` checkpoint. @throws when they are not of slices to masks */
export async function readWeights(
  model: string,
  which: 'best' | 'last' = 'best',
): Promise<{ path: string; weights: Weights }> {
  const path = await weightsPath(model, which);
  const weights = decodeWeights(await readBytes(path), path);
  const { inChannels, outChannels } = weights.config;
  if (inChannels !== CHANNELS || outChannels !== 1) {
    throw new RunError(
      `${path} is of a U-Net from ${inChannels} to ${plural(outChannels, 'channel')}, but slices have ${CHANNELS} and masks 1; take another checkpoint.`,
    );
  }
  return { path, weights };
}

async function weightsPath(model: string, which: 'best' | 'last'): Promise<string> {
  const folder = await stat(model).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!folder) return model;
  const paths = runPaths(model);
  if (await exists(paths[which])) return paths[which];
  throw new RunError(
    `${model} has no ${which}.safetensors yet: train at least one epoch, or name a safetensors file.`,
  );
}
