import { realpath } from 'node:fs/promises';
import type { SliceSource } from '../../data/batchSource.js';
import { evaluationSource } from '../../data/batchSource.js';
import type { SliceRef } from '../../data/dataset.js';
import { lesionWeights, weightedSampler } from '../../data/sampler.js';
import type { Device } from '../../engine/device.js';
import { modelFrom, type Weights } from '../../unet/checkpoint.js';
import type { TrainConfig } from '../../unet/config.js';
import { overlap, thresholdMask } from '../../unet/metrics.js';
import type { UNet } from '../../unet/model.js';
import { BySize, compileEvaluation } from '../../unet/programs.js';
import { evaluateAll } from '../../unet/train.js';
import type { EvaluateOptions } from '../commands/evaluate.js';
import { ensureFolder, exists, removeEmpty } from '../files.js';
import { Interrupted, interruptible, Stopped, watchInterrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { overlay } from '../overlay.js';
import { plural } from '../plural.js';
import type { RunConfig, RunSummary } from '../records.js';
import { writeReport } from '../report/write.js';
import { openRun, RunError, RunFolder, runPaths } from '../runFolder.js';
import { type EvaluationSlice, evaluationSheet } from '../sheets.js';
import { openCliDevice } from './device.js';
import { Measuring } from './measure.js';
import { naming, readModel } from './readModel.js';
import { openRunData, runSplit, sidesOf } from './setup.js';

/** Slices in the reference's picture. */
const SHEET_SLICES = 8;

/** `shadergrad evaluate`. */
export async function evaluate(options: EvaluateOptions, io: Io): Promise<void> {
  const run = await openRun(options.run);
  const saved = await run.readConfig();
  const name = options.checkpoint ?? 'best';
  // Before the data, whose reading takes longer.
  const checkpoint = await readCheckpoint(run, name);
  const settings = settingsOf(saved, checkpoint, options.threshold);
  const out = await checkOut(options, run);
  const dataset = await openRunData(options.data, saved, io);
  try {
    const sides = sidesOf(dataset, await runSplit(run, dataset));
    const which = options.patients ?? 'valid';
    const slices = which === 'all' ? [...sides.train, ...sides.valid] : sides[which];
    const source = evaluationSource(
      dataset,
      slices,
      options.batchSize ?? settings.training.batchSize,
      settings.training.size,
    );
    const device = await openCliDevice(options);
    try {
      const target = out === undefined ? run : new RunFolder(runPaths(out));
      let made: readonly string[] = [];
      const result = await stoppable(source, io, async (given) => {
        // Before the measuring, so that a place where nothing can be written is told of at once.
        if (out !== undefined) made = await ensureFolder(out);
        return measureRun(device, slices, given, settings, checkpoint, which, target);
      }).catch(async (error: unknown) => {
        await removeEmpty(made);
        throw error;
      });
      if (options.json) io.stdout.write(`${JSON.stringify(result)}\n`);
      else for (const line of summaryLines(result)) io.stdout.write(`${line}\n`);
      const say = options.json ? io.stderr : io.stdout;
      if (out === undefined) say.write(`wrote ${await writeReport(options.run)}\n`);
      else
        say.write(`wrote ${target.paths.summary}, ${target.paths.evaluation} and ${target.paths.overlays}\n`);
    } finally {
      await device.close();
    }
  } finally {
    await dataset.close();
  }
}

/** Where to write beside the run's own folder. @throws RunError where another run's figures lie there */
async function checkOut({ out }: EvaluateOptions, { paths }: RunFolder): Promise<string | undefined> {
  if (out === undefined || !(await exists(runPaths(out).config))) return out;
  if ((await realpath(out)) === (await realpath(paths.root))) return undefined;
  throw new RunError(
    `${out} is the folder of another run, whose figures would be replaced; give another --out.`,
  );
}

/** From here on a signal, while slices are measured, ends it; once they are, all is written. @throws Stopped */
async function stoppable<T>(
  source: SliceSource,
  io: Io,
  work: (source: SliceSource) => Promise<T>,
): Promise<T> {
  const interrupt = watchInterrupt(() => void io.stderr.write('stopping; once more ends at once\n'));
  try {
    return await work(interruptible(source, interrupt));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Stopped(`stopped by ${interrupt.signal} while measuring; nothing was written.`);
  } finally {
    interrupt.dispose();
  }
}

/** Measures a checkpoint, writes summary, pictures and report; gives the report's path. */
export async function evaluateRun(
  device: Device,
  run: RunFolder,
  slices: readonly SliceRef[],
  source: SliceSource,
  config: RunConfig,
  checkpoint: string,
  patients: RunSummary['patients'],
): Promise<string> {
  const read = await readCheckpoint(run, checkpoint);
  await measureRun(device, slices, source, settingsOf(config, read), read, patients, run);
  return writeReport(run.paths.root);
}

interface Checkpoint {
  /** As the user gave it: `best`, `last` or a file. */
  readonly name: string;
  /** Whether it is one of the run's own two. */
  readonly named: boolean;
  readonly weights: Weights;
  readonly model: UNet;
}

/** By what a checkpoint is measured. */
interface Settings {
  readonly training: TrainConfig;
  readonly threshold: number;
  /** Where it comes from, in words. */
  readonly thresholdFrom: string;
}

/** The run's, but for the size that a checkpoint from elsewhere was trained at: prediction has it too. */
function settingsOf({ training, threshold }: RunConfig, { weights }: Checkpoint, told?: number): Settings {
  return {
    training: { ...training, size: weights.preparation.size ?? training.size },
    threshold: told ?? threshold,
    thresholdFrom: told === undefined ? "the run's own threshold" : 'as --threshold says',
  };
}

async function readCheckpoint(run: RunFolder, name: string): Promise<Checkpoint> {
  const named = name === 'best' || name === 'last';
  const { path, weights } = await readModel(named ? run.paths.root : name, named ? name : 'best');
  return { name, named, weights, model: naming(path, () => modelFrom(weights)) };
}

async function measureRun(
  device: Device,
  slices: readonly SliceRef[],
  source: SliceSource,
  { training, threshold, thresholdFrom }: Settings,
  { name, named, weights, model }: Checkpoint,
  patients: RunSummary['patients'],
  target: RunFolder,
): Promise<RunSummary> {
  const programs = new BySize((batch) => compileEvaluation(device, model, training, source.size, batch));
  const measuring = new Measuring(slices, threshold);
  const sheet = new Set(sheetSlices(slices, training.seed));
  const shown = new Set(largestSlices(slices));
  const drawn = new Map<SliceRef, EvaluationSlice & { readonly slice: SliceRef }>();
  try {
    const losses = await evaluateAll(programs, source, (batch, probabilities) => {
      const planes = measuring.add(batch, probabilities, training.size);
      batch.items.forEach(({ slice }, i) => {
        if (!sheet.has(slice) && !shown.has(slice)) return;
        const pixels = slice.height * slice.width;
        const truth = batch.masks.slice(i * pixels, (i + 1) * pixels);
        const prediction = planes[i] as Float32Array;
        drawn.set(slice, {
          slice,
          width: slice.width,
          height: slice.height,
          image: batch.images.slice(3 * i * pixels, 3 * (i + 1) * pixels),
          truth,
          prediction: prediction.slice(),
          name: `${slice.patient} ${slice.number}`,
          ...sliceLosses(prediction, truth),
        });
      });
    });
    const summary: RunSummary = {
      format: 'shadergrad-summary',
      version: 1,
      checkpoint: name,
      epoch: epochOf(weights.metadata.get('epoch')),
      patients,
      losses,
      metrics: measuring.metrics.summary(),
      notes: notes(
        patients,
        named && name === 'best',
        `${threshold}, ${thresholdFrom}`,
        training.size,
        source.size,
      ),
    };
    const of = (wanted: ReadonlySet<SliceRef>) =>
      [...drawn.values()].filter(({ slice }) => wanted.has(slice));
    await target.write('evaluation', evaluationSheet(of(sheet)).png());
    await target.writeOverlays(of(shown).map((each) => overlayOf(each, threshold)));
    await target.writeSummary(summary);
    return summary;
  } finally {
    await programs.destroy();
  }
}

function epochOf(text: string | undefined): number | null {
  return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
}

/** What a reader must know of how the figures came about. */
function notes(
  patients: RunSummary['patients'],
  best: boolean,
  threshold: string,
  size: number,
  source: { height: number; width: number },
): string[] {
  const resized =
    source.height === size && source.width === size
      ? []
      : [
          `The network sees slices at ${size}x${size}; its probabilities are brought back to ${source.width}x${source.height} bilinearly before they are measured.`,
        ];
  return [
    `A voxel is lesion where its probability exceeds ${threshold}.`,
    ...(patients === 'valid'
      ? []
      : [
          `${patients === 'all' ? 'Some of these patients were' : 'These patients were'} trained on, so the figures do not tell how well others are segmented.`,
        ]),
    ...(best && patients === 'valid'
      ? [
          'The best checkpoint was chosen on these same validation patients, by mean Dice and then by lower loss, so its figures are a little too good.',
        ]
      : []),
    ...resized,
  ];
}

/** Slices for the reference's picture: drawn by lesion size, each once, the same for the same seed. */
function sheetSlices(slices: readonly SliceRef[], seed: number): SliceRef[] {
  const lesions = slices.filter(({ lesion }) => lesion > 0);
  if (lesions.length <= SHEET_SLICES) return lesions.length > 0 ? lesions : slices.slice(0, SHEET_SLICES);
  const order = weightedSampler(
    lesionWeights(lesions.map(({ lesion }) => lesion)),
    seed,
    64 * SHEET_SLICES,
  ).order(0);
  const chosen = new Set<SliceRef>();
  for (const index of order) {
    if (chosen.size < SHEET_SLICES) chosen.add(lesions[index] as SliceRef);
  }
  return [...chosen];
}

/** Each patient's slice with the most lesion, patients in order. */
function largestSlices(slices: readonly SliceRef[]): SliceRef[] {
  const best = new Map<string, SliceRef>();
  for (const slice of slices) {
    if (slice.lesion > (best.get(slice.patient)?.lesion ?? 0)) best.set(slice.patient, slice);
  }
  return [...best.values()];
}

/** Cross-entropy and Dice loss of one slice alone, with the reference's clamps. */
function sliceLosses(p: Float32Array, truth: Uint8Array): { bce: number; dice: number } {
  let bce = 0;
  let both = 0;
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const value = p[i] as number;
    const t = truth[i] === 0 ? 0 : 1;
    bce -= t * Math.max(-100, Math.log(value)) + (1 - t) * Math.max(-100, Math.log(1 - value));
    both += value * t;
    sum += value + t;
  }
  return { bce: bce / p.length, dice: 1 - (2 * both + 1) / (sum + 1) };
}

function overlayOf(each: EvaluationSlice & { readonly slice: SliceRef }, threshold: number) {
  const { slice, truth } = each;
  const prediction = thresholdMask(each.prediction, threshold);
  let [both, predicted, lesion] = [0, 0, 0];
  for (let i = 0; i < truth.length; i++) {
    const [p, t] = [prediction[i] as number, truth[i] === 0 ? 0 : 1];
    both += p & t;
    predicted += p;
    lesion += t;
  }
  const { dice } = overlap(both, predicted - both, lesion - both);
  return {
    name: `${slice.patient}_${slice.number}.png`,
    caption: `${slice.patient}, slice ${slice.number}: Dice ${dice === null ? 'none' : dice.toFixed(3)}`,
    png: overlay({ ...each, prediction }, { scale: 2 }).png(),
  };
}

function summaryLines({ metrics, checkpoint, epoch, losses, notes: remarks }: RunSummary): string[] {
  const figure = (value: number | null) => (value === null ? 'none' : value.toFixed(4));
  const { plain, largest } = metrics;
  return [
    `checkpoint ${checkpoint}${epoch === null ? '' : ` (epoch ${epoch})`}${losses ? `: loss ${losses.loss.toFixed(6)} bce ${losses.bce.toFixed(6)} dice ${losses.dice.toFixed(6)}` : ''}`,
    `patients' 3D Dice: mean ${figure(plain.dice.mean)} median ${figure(plain.dice.median)}; largest component only: mean ${figure(largest.dice.mean)} median ${figure(largest.dice.median)}`,
    `lesion slices ${figure(plain.lesionSliceDice.mean)}; pooled ${figure(plain.pooled.dice)}; false-positive slices ${plain.falsePositiveSlices} of ${metrics.lesionFreeSlices} lesion-free, ${plural(plain.falsePositivePixels, 'pixel')}`,
    ...metrics.cases.map(
      (each) =>
        `  ${each.patient}  Dice ${figure(each.plain.dice)}  largest ${figure(each.largest.dice)}  ${each.lesionSlices} of ${plural(each.slices, 'slice')} with lesion`,
    ),
    ...remarks,
  ];
}
