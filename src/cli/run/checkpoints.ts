import { decodeResume, encodeResume, encodeWeights, restoreOptimizer } from '../../unet/checkpoint.js';
import type { TrainConfig } from '../../unet/config.js';
import type { Progress, Trainer } from '../../unet/train.js';
import { readBytes } from '../files.js';
import { RunError, type RunFolder } from '../runFolder.js';
import { VERSION } from '../version.js';
import type { BestSoFar } from './best.js';

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

/** @param threshold the run's, so that a file by itself tells it too */
export async function saveWeights(
  run: RunFolder,
  trainer: Trainer,
  which: ('last' | 'best')[],
  epoch: number,
  threshold: number,
): Promise<void> {
  const chunks = await encodeWeights(
    trainer.model,
    { size: trainer.config.size },
    { epoch: `${epoch}`, threshold: `${threshold}`, shadergrad: VERSION },
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
