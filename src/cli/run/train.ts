import { writeSplit } from '../../data/split.js';
import type { Device } from '../../engine/device.js';
import { bytesText } from '../../engine/plan/print.js';
import { isTableOf } from '../../engine/tuning/table.js';
import { type StepReport, Trainer, type TrainerOptions } from '../../unet/train.js';
import { choicesText } from '../choices.js';
import type { TrainOptions } from '../commands/train.js';
import { describeData, describeSplit } from '../describeData.js';
import { divergence, lowerRate } from '../divergence.js';
import { type Interrupt, Interrupted, interruptible, watchInterrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { keepInputs } from '../keepInputs.js';
import { count, plural } from '../plural.js';
import { compileLine, Progress } from '../progress.js';
import {
  type EpochQuality,
  type EpochRecord,
  epochQuality,
  type RunConfig,
  type StepRecord,
} from '../records.js';
import {
  checkFree,
  createRun,
  defaultRoot,
  openRun,
  RunError,
  type RunFolder,
  runPaths,
} from '../runFolder.js';
import { type BestSoFar, better, noneYet } from './best.js';
import { readResume, saveResume, saveWeights } from './checkpoints.js';
import { openCliDevice } from './device.js';
import { evaluateRun } from './evaluate.js';
import { Measuring } from './measure.js';
import {
  openData,
  openRunData,
  runConfig,
  runSplit,
  type Sides,
  type Sources,
  sidesOf,
  sourcesOf,
  splitData,
  trainConfig,
} from './setup.js';
import { StepTrace } from './trace.js';

/** A training made ready: new, or gone on with. */
interface Session {
  readonly run: RunFolder;
  readonly config: RunConfig;
  readonly trainer: Trainer;
  readonly sides: Sides;
  readonly sources: Sources;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  best: BestSoFar;
}

/**
 * Trains, from the options to weights, figures, pictures and a report in the run's folder.
 * @param makeData called before the data are read, once it is known that there is an adapter and that the run may be written
 */
export async function train(
  options: TrainOptions,
  io: Io,
  command: readonly string[],
  makeData?: () => Promise<void>,
): Promise<void> {
  if (options.trace !== undefined) {
    const { data, split, tuning, resume } = options;
    const run = resume === undefined ? [] : Object.values(runPaths(resume));
    await keepInputs('--trace', options.trace, [data, split, tuning || undefined, ...run]);
  }
  const device = await openCliDevice(options);
  try {
    const trace = options.trace === undefined ? undefined : await StepTrace.open(options.trace, device);
    const making = { ...compiling(options, io), ...(trace ? { profiled: trace.profiled } : {}) };
    const begun =
      options.resume === undefined
        ? await begin(options, io, device, command, making, makeData)
        : await goOn(options.resume, options, io, device, making);
    const { session, close } = begun;
    try {
      await runEpochs(session, options, device);
      if (trace) say(options, io)(await trace.finish());
    } finally {
      await session.trainer.destroy();
      await close();
    }
  } finally {
    await device.close();
  }
}

interface Begun {
  readonly session: Session;
  readonly close: () => Promise<void>;
}

function say(options: TrainOptions, io: Io): (line: string) => void {
  const stream = options.json ? io.stderr : io.stdout;
  return (line) => void stream.write(`${line}\n`);
}

async function begin(
  options: TrainOptions,
  io: Io,
  device: Device,
  command: readonly string[],
  making: TrainerOptions,
  makeData: () => Promise<void> = async () => {},
): Promise<Begun> {
  const training = trainConfig(options, device.facts);
  const root = options.out ?? defaultRoot();
  await checkFree(root, options.force);
  await makeData();
  const path = options.data as string;
  const dataset = await openData(path, io);
  let interrupt: Interrupt | undefined;
  try {
    const sides = await splitData(dataset, options);
    const sources = sourcesOf(dataset, sides, training);
    const trainer = new Trainer(device, training, sources.train, making);
    const config = await runConfig(options, training, sides, {
      data: path,
      device,
      parameters: trainer.model.parameterCount(),
      command,
    });
    for (const line of [...describeData(dataset.name, dataset.report), ...describeSplit(sides.split)])
      say(options, io)(line);
    // Shapes and limits are checked before anything is written.
    await tellFacts(trainer, config, device, say(options, io));
    const watched = watch(options, io, config, trainer);
    ({ interrupt } = watched);
    const run = await createRun(root, options.force);
    // config.json makes it a run, so it comes when there is something to go on from.
    await saveResume(run, trainer, noneYet);
    await run.writeSplit(writeSplit(sides.split));
    await run.writeConfig(config);
    return {
      session: { run, config, trainer, sides, sources, best: noneYet, ...watched },
      close: () => dataset.close(),
    };
  } catch (error) {
    interrupt?.dispose();
    await dataset.close();
    throw error;
  }
}

async function goOn(
  root: string,
  options: TrainOptions,
  io: Io,
  device: Device,
  making: TrainerOptions,
): Promise<Begun> {
  const run = await openRun(root);
  const config = await run.readConfig();
  const saved = await readResume(run, config.training);
  // Other kernels add in another order: the run keeps those it began with, whatever was tuned since.
  const { tuning } = config;
  if (options.tuning === undefined && (!tuning || isTableOf(tuning, device.facts))) device.tuning = tuning;
  const trained = saved.epochs >= config.training.epochs;
  if (trained && (await run.measured())) {
    throw new RunError(
      `${root} is done: ${allTrained(config.training.epochs)}; measure it again by shadergrad evaluate ${root}.`,
    );
  }
  const dataset = await openRunData(options.data, config, io);
  try {
    const sides = sidesOf(dataset, await runSplit(run, dataset));
    const sources = sourcesOf(dataset, sides, config.training);
    const trainer = new Trainer(device, config.training, sources.train, making);
    saved.load(trainer);
    if (device.name !== config.environment.adapter.name) {
      say(
        options,
        io,
      )(`note: this run began on ${config.environment.adapter.name}; on ${device.name} the bits will differ`);
    }
    if (!trained) await tellFacts(trainer, config, device, say(options, io));
    await run.truncateMetrics(saved.step, saved.epochs);
    const watched = watch(options, io, config, trainer);
    say(
      options,
      io,
    )(
      trained
        ? `${allTrained(saved.epochs)}; what is left is to measure them`
        : `going on at epoch ${saved.epochs + 1}, step ${saved.step} of ${trainer.steps}`,
    );
    return {
      session: { run, config, trainer, sides, sources, best: saved.best, ...watched },
      close: () => dataset.close(),
    };
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

function allTrained(epochs: number): string {
  return epochs === 1 ? 'its one epoch was trained' : `all ${epochs} epochs were trained`;
}

/** From here on a signal finishes the step and saves. */
function watch(
  options: TrainOptions,
  io: Io,
  config: RunConfig,
  trainer: Trainer,
): Pick<Session, 'progress' | 'interrupt'> {
  const progress = new Progress(io, {
    json: options.json === true,
    totalSteps: trainer.steps,
    epochs: config.training.epochs,
    stepsPerEpoch: config.stepsPerEpoch,
  });
  const interrupt = watchInterrupt(() => progress.note('stopping after this step; once more ends at once'));
  return { progress, interrupt };
}

function compiling(options: TrainOptions, io: Io): TrainerOptions {
  if (options.json || !io.stdout.isTTY) return {};
  return {
    onCompile: (done, total) => void io.stdout.write(compileLine(done, total)),
  };
}

/** The block of facts before training. Compiles the training program, so that its memory is known. */
async function tellFacts(
  trainer: Trainer,
  config: RunConfig,
  device: Device,
  tell: (line: string) => void,
): Promise<void> {
  const { training, stepsPerEpoch } = config;
  const { model } = training;
  const begin = performance.now();
  const plan = await trainer.warmUp();
  const seconds = (performance.now() - begin) / 1000;
  const { memory } = plan;
  tell(
    `U-Net: depth ${model.depth}, ${plural(model.baseChannels, 'base channel')}, dropout ${model.dropout}; ${count(config.parameters)} parameters; slices at ${training.size}x${training.size}`,
  );
  tell(
    `device: ${device.name}${device.facts.software ? ' (software: runs on the CPU)' : ''}; ${plan.steps.length} kernels a step, ready in ${seconds.toFixed(1)} s`,
  );
  tell(`kernels: ${choicesText(plan)}`);
  tell(
    `memory: ${bytesText(memory.transient)} for a step, ${bytesText(memory.state)} for weights and optimiser; ${(plan.flops / 1e9).toFixed(1)} GFLOP a step`,
  );
  tell(
    `schedule: ${plural(training.epochs, 'epoch')} of ${plural(stepsPerEpoch, 'step')}, batch ${training.batchSize}, ${training.optimizer}, one-cycle to ${training.lr}${training.precision === 'mixed' ? ', mixed precision' : ''}; loss ${training.diceWeight} dice + ${(1 - training.diceWeight).toFixed(2)} bce; seed ${training.seed}`,
  );
}

function stepRecord({ epoch, step, lr, momentum, losses, scaling }: StepReport): StepRecord {
  return { kind: 'step', epoch: epoch + 1, step, lr, momentum, ...losses, ...(scaling ? { scaling } : {}) };
}

/** What the epoch that was just saved gives to worry about. */
async function warningOf(
  run: RunFolder,
  { training }: RunConfig,
  { meanDice }: EpochQuality,
): Promise<string | null> {
  const epochs = (await run.readMetrics()).filter((record) => record.kind === 'epoch');
  const diverged = divergence(
    epochs.map(({ epoch, train }) => ({ epoch, loss: train.loss })),
    training.diceWeight,
  );
  if (diverged !== null)
    return `${diverged}; start a new run with a lower learning rate, such as --lr ${lowerRate(training.lr)}`;
  return meanDice === 0 ? 'no predicted pixel lies on a lesion yet' : null;
}

/** Lines that metrics.jsonl has in the midst of an epoch, about. */
const STEP_RECORDS = 20;

async function runEpochs(session: Session, options: TrainOptions, device: Device): Promise<void> {
  const { run, config, trainer, progress, interrupt } = session;
  const { epochs } = config.training;
  const every = Math.max(1, Math.floor(config.stepsPerEpoch / STEP_RECORDS));
  const wayOn = `go on with: shadergrad train --resume ${run.paths.root}`;
  const unseen = interruptible(session.sources.valid, interrupt);
  let reached = trainer.progress;
  try {
    while (trainer.progress.epoch < epochs) {
      const begin = performance.now();
      const records: StepRecord[] = [];
      let images = 0;
      reached = trainer.progress;
      const means = await trainer.trainEpoch(
        (report) => {
          const record = stepRecord(report);
          reached = trainer.progress;
          images += report.count;
          if (report.batch % every === 0) records.push(record);
          progress.step(record, report.count);
        },
        () => interrupt.signal !== null,
      );
      for (const record of records) await run.appendMetric(record);
      if (means === null) {
        await saveResume(run, trainer, session.best);
        progress.note(`stopped at step ${trainer.progress.step} of ${trainer.steps}, all saved; ${wayOn}`);
        return;
      }
      const trained = performance.now();
      const epoch = trainer.progress.epoch;
      const scaling = await trainer.scaling();
      const measuring = new Measuring(session.sides.valid, config.threshold);
      let measured = 0;
      const valid = await trainer.validate(unseen, (batch, probabilities) => {
        measuring.add(batch, probabilities, config.training.size);
        measured += batch.count;
        progress.phase('validating', measured, unseen.items);
      });
      const quality = epochQuality(measuring.metrics.summary());
      session.best = better(session.best, { epoch, quality, valid });
      const isBest = session.best.epoch === epoch;
      const record: EpochRecord = {
        kind: 'epoch',
        epoch,
        step: trainer.progress.step,
        lr: trainer.lr,
        train: means,
        valid,
        quality,
        ...(scaling ? { scaling } : {}),
        best: isBest,
        seconds: (performance.now() - begin) / 1000,
        imagesPerSecond: images / ((trained - begin) / 1000),
      };
      await saveWeights(run, trainer, isBest ? ['last', 'best'] : ['last'], epoch, config.threshold);
      await run.appendMetric(record);
      await saveResume(run, trainer, session.best);
      reached = trainer.progress;
      progress.epoch(record);
      const warning = await warningOf(run, config, quality);
      if (warning !== null) progress.note(`warning: ${warning}`);
      if (interrupt.signal !== null || (epoch === options.stopAfter && epoch < epochs)) {
        progress.note(`stopped after epoch ${epoch} of ${epochs}, all saved; ${wayOn}`);
        return;
      }
      if (epoch >= epochs) break;
      if (options.patience !== undefined && epoch - session.best.epoch >= options.patience) {
        progress.note(
          `no epoch since epoch ${session.best.epoch} was better on the validation patients: stopping after epoch ${epoch}, as --patience ${options.patience} says`,
        );
        break;
      }
    }
    progress.note(`best epoch ${session.best.epoch}; measuring it and drawing pictures`);
    const report = await evaluateRun(device, run, session.sides.valid, unseen, config, 'best', 'valid');
    progress.note(`wrote ${report}`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await saveResume(run, trainer, session.best, reached);
    progress.note(`stopped while measuring, all saved; ${wayOn}`);
  } finally {
    interrupt.dispose();
    progress.finish();
  }
}
