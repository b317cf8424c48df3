/**
 * How good a segmentation is, per patient and over all, from probabilities or masks of single slices.
 * Counts and quotients are float64. Nothing empty counts as a success: where neither truth nor prediction holds
 * a lesion, Dice and IoU are `null`, stay out of every mean, and the summary says so.
 */
import { largestComponent, type VolumeShape } from './components.js';

/** Voxels of a prediction P against a truth T. Dice is 2|P∩T|/(|P|+|T|), IoU |P∩T|/|P∪T|; null when both are empty. */
export interface Overlap {
  readonly dice: number | null;
  readonly iou: number | null;
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
}

/** A patient's figures under one way of making the mask. */
export interface CaseOverlap extends Overlap {
  /** Mean of the 2D Dice of the slices whose truth holds a lesion; null without such slices. */
  readonly lesionSliceDice: number | null;
  /** Slices without lesion in which something was predicted, and how many pixels that is. */
  readonly falsePositiveSlices: number;
  readonly falsePositivePixels: number;
}

/** A patient's figures: of the thresholded prediction as it is, and of its largest 3D component alone. */
export interface CaseMetrics {
  readonly patient: string;
  readonly threshold: number;
  readonly slices: number;
  readonly lesionSlices: number;
  readonly truthVoxels: number;
  readonly plain: CaseOverlap;
  readonly largest: CaseOverlap;
}

/** Mean and median over the patients (or slices) that have a value, and how many those are. */
export interface Average {
  readonly mean: number | null;
  readonly median: number | null;
  readonly count: number;
}

/** All patients under one way of making the mask. */
export interface OverallOverlap {
  /** Over patients: 3D Dice and IoU of each. */
  readonly dice: Average;
  readonly iou: Average;
  /** Over all slices with a lesion, whichever patient's: 2D Dice of each. */
  readonly lesionSliceDice: Average;
  /** Voxels of all patients taken as one volume. */
  readonly pooled: Overlap;
  readonly falsePositiveSlices: number;
  readonly falsePositivePixels: number;
}

/** All figures at one threshold. */
export interface MetricsSummary {
  readonly threshold: number;
  readonly patients: number;
  readonly slices: number;
  readonly lesionSlices: number;
  readonly lesionFreeSlices: number;
  readonly plain: OverallOverlap;
  readonly largest: OverallOverlap;
  /** In patients' order of arrival. */
  readonly cases: readonly CaseMetrics[];
  /** What a reader must know to read the figures right, as sentences. */
  readonly notes: readonly string[];
}

/** One threshold of a sweep, in short. */
export interface SweepPoint {
  readonly threshold: number;
  readonly meanDice: number | null;
  readonly medianDice: number | null;
  readonly meanDiceLargest: number | null;
  readonly medianDiceLargest: number | null;
  readonly pooledDice: number | null;
}

/** Dice and IoU of counted voxels. */
export function overlap(truePositive: number, falsePositive: number, falseNegative: number): Overlap {
  const union = truePositive + falsePositive + falseNegative;
  return {
    dice: union === 0 ? null : (2 * truePositive) / (union + truePositive),
    iou: union === 0 ? null : truePositive / union,
    truePositive,
    falsePositive,
    falseNegative,
  };
}

/** The mask of `probabilities`: 1 where one is greater than `threshold` (compared as f32), else 0. One rule for metrics and output. */
export function thresholdMask(probabilities: Float32Array, threshold: number): Uint8Array {
  const limit = Math.fround(threshold);
  return Uint8Array.from(probabilities, (p) => (p > limit ? 1 : 0));
}

/** Mean and median of the values that are not null. The median of an even count is the mean of the middle two. */
export function average(values: Iterable<number | null>): Average {
  const known = [...values].filter((value) => value !== null).sort((a, b) => a - b);
  const count = known.length;
  if (count === 0) return { mean: null, median: null, count };
  const middle = ((known[(count - 1) >> 1] as number) + (known[count >> 1] as number)) / 2;
  return { mean: known.reduce((sum, value) => sum + value, 0) / count, median: middle, count };
}

/** Thresholds from `step` to 1 - `step`, as for a sweep: 0.05, 0.1, ... 0.95. */
export function thresholdRange(step = 0.05): number[] {
  const count = Math.round(1 / step) - 1;
  return Array.from({ length: count }, (_, i) => Number(((i + 1) * step).toFixed(10)));
}

/**
 * The threshold with the highest mean Dice; of equals the one nearest to 0.5.
 * Choose it on patients that no reported figure uses.
 */
export function bestThreshold(
  sweep: readonly SweepPoint[],
  by: 'meanDice' | 'meanDiceLargest' = 'meanDice',
): number {
  let best: SweepPoint | undefined;
  for (const point of sweep) {
    const gain = (point[by] ?? -1) - (best?.[by] ?? -1);
    const nearer = best !== undefined && Math.abs(point.threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (best === undefined || gain > 0 || (gain === 0 && nearer)) best = point;
  }
  if (best === undefined) throw new Error('A threshold cannot be chosen from an empty sweep.');
  return best.threshold;
}

interface Open {
  readonly shape: VolumeShape;
  /** For each voxel how many of the thresholds its probability exceeds: the masks of all thresholds in one byte. */
  readonly levels: Uint8Array;
  readonly truth: Uint8Array;
  readonly seen: Uint8Array;
  missing: number;
}

interface Closed {
  readonly metrics: CaseMetrics;
  readonly sliceDice: readonly number[];
  readonly sliceDiceLargest: readonly number[];
}

/**
 * Gathers slices into volumes and measures each volume as soon as its last slice has come; then its voxels are let go.
 * A voxel is predicted where its probability exceeds the threshold, as in `thresholdMask` (at 0.5: rounding, half to even).
 */
export class SegmentationMetrics {
  /** Rising. */
  readonly thresholds: readonly number[];
  readonly #open = new Map<string, Open>();
  readonly #closed = new Map<string, Closed[]>();

  /** @param thresholds one, or several for a sweep (at most 255), each from 0 up to but not 1 */
  constructor(thresholds: number | readonly number[] = 0.5) {
    const list =
      typeof thresholds === 'number' ? [thresholds] : [...new Set(thresholds)].sort((a, b) => a - b);
    if (list.length === 0 || list.length > 255)
      throw new Error(`Give 1 to 255 thresholds, not ${list.length}.`);
    for (const t of list) {
      if (!(t >= 0 && t < 1)) throw new Error(`A threshold must be at least 0 and below 1, not ${t}.`);
    }
    this.thresholds = list;
  }

  /** Announces a patient's volume. @throws when the patient was announced before or a size is not a positive integer. */
  begin(patient: string, shape: VolumeShape): void {
    const { depth, height, width } = shape;
    if (![depth, height, width].every((size) => Number.isSafeInteger(size) && size > 0)) {
      throw new Error(`Patient ${patient} cannot have a volume of ${depth} x ${height} x ${width} voxels.`);
    }
    if (this.#open.has(patient) || this.#closed.has(patient))
      throw new Error(`Patient ${patient} was announced twice.`);
    const voxels = depth * height * width;
    this.#open.set(patient, {
      shape,
      levels: new Uint8Array(voxels),
      truth: new Uint8Array(voxels),
      seen: new Uint8Array(depth),
      missing: depth,
    });
  }

  /**
   * Takes slice `index` (0-based, in anatomical order: neighbours in number are neighbours in space).
   * @param prediction height x width probabilities, or a mask as Uint8Array (what is not 0 is predicted)
   * @param truth height x width; above 0.5 (Float32Array) or not 0 (Uint8Array) is lesion
   * @throws when the patient was not announced, the slice came before, a length does not fit, or a probability is not a number.
   */
  add(
    patient: string,
    index: number,
    prediction: Float32Array | Uint8Array,
    truth: Float32Array | Uint8Array,
  ): void {
    const volume = this.#open.get(patient);
    if (volume === undefined) {
      throw new Error(
        `Patient ${patient} ${this.#closed.has(patient) ? 'is complete already' : 'was not announced'}.`,
      );
    }
    const { depth, height, width } = volume.shape;
    const where = `slice ${index} of patient ${patient}`;
    if (!(Number.isInteger(index) && index >= 0 && index < depth))
      throw new Error(`There is no ${where}: it has ${depth} slices.`);
    if (volume.seen[index] !== 0) throw new Error(`The prediction of ${where} came twice.`);
    const pixels = height * width;
    if (prediction.length !== pixels || truth.length !== pixels) {
      throw new Error(
        `The prediction (${prediction.length}) and truth (${truth.length}) of ${where} must have ${height} x ${width} pixels.`,
      );
    }
    const start = index * pixels;
    const truthLimit = truth instanceof Uint8Array ? 0 : 0.5;
    const { levels, truth: kept } = volume;
    for (let i = 0; i < pixels; i++) kept[start + i] = (truth[i] as number) > truthLimit ? 1 : 0;
    if (prediction instanceof Uint8Array) {
      for (let i = 0; i < pixels; i++) levels[start + i] = prediction[i] === 0 ? 0 : this.thresholds.length;
    } else {
      this.#level(prediction, levels, start, where);
    }
    volume.seen[index] = 1;
    volume.missing--;
    if (volume.missing === 0) {
      this.#open.delete(patient);
      this.#closed.set(
        patient,
        this.thresholds.map((threshold, at) => measure(patient, volume, threshold, at)),
      );
    }
  }

  /**
   * The figures of all complete patients at `threshold` (one of those given at the start; the first when left out).
   * @throws when a patient still lacks slices, or nothing was measured.
   */
  summary(threshold: number = this.thresholds[0] as number): MetricsSummary {
    const at = this.thresholds.indexOf(threshold);
    if (at < 0)
      throw new Error(
        `Threshold ${threshold} was not measured; measured were ${this.thresholds.join(', ')}.`,
      );
    for (const [patient, { missing, shape }] of this.#open) {
      throw new Error(`Patient ${patient} still lacks ${missing} of ${shape.depth} slices.`);
    }
    if (this.#closed.size === 0) throw new Error('No patient was measured.');
    return summarize(
      [...this.#closed.values()].map((each) => each[at] as Closed),
      threshold,
    );
  }

  /** The main figures at every threshold. @throws as `summary` */
  sweep(): SweepPoint[] {
    return this.thresholds.map((threshold) => {
      const { plain, largest } = this.summary(threshold);
      return {
        threshold,
        meanDice: plain.dice.mean,
        medianDice: plain.dice.median,
        meanDiceLargest: largest.dice.mean,
        medianDiceLargest: largest.dice.median,
        pooledDice: plain.pooled.dice,
      };
    });
  }

  #level(prediction: Float32Array, levels: Uint8Array, start: number, where: string): void {
    // In f32, so that a probability equal to a threshold as f32 does not exceed it.
    const limits = Float32Array.from(this.thresholds);
    for (let i = 0; i < prediction.length; i++) {
      const p = prediction[i] as number;
      if (Number.isNaN(p))
        throw new Error(
          `The prediction of ${where} holds NaN: the model diverged in training, or the image is not finite; train anew with a lower learning rate, or mend the image.`,
        );
      let level = 0;
      while (level < limits.length && p > (limits[level] as number)) level++;
      levels[start + i] = level;
    }
  }
}

/** Figures of one volume: at threshold number `at` a voxel is predicted where its level is above `at`. */
function measure(patient: string, { shape, levels, truth }: Open, threshold: number, at: number): Closed {
  const mask = levels.map((level) => (level > at ? 1 : 0));
  const plain = compare(mask, truth, shape);
  const largest = compare(largestComponent(mask, shape), truth, shape);
  return {
    metrics: {
      patient,
      threshold,
      slices: shape.depth,
      lesionSlices: plain.sliceDice.length,
      truthVoxels: plain.figures.truePositive + plain.figures.falseNegative,
      plain: plain.figures,
      largest: largest.figures,
    },
    sliceDice: plain.sliceDice,
    sliceDiceLargest: largest.sliceDice,
  };
}

function compare(mask: Uint8Array, truth: Uint8Array, { depth, height, width }: VolumeShape) {
  const total = { both: 0, predicted: 0, true: 0 };
  const sliceDice: number[] = [];
  let falsePositiveSlices = 0;
  let falsePositivePixels = 0;
  const pixels = height * width;
  for (let z = 0; z < depth; z++) {
    let both = 0;
    let predicted = 0;
    let lesion = 0;
    for (let i = z * pixels; i < (z + 1) * pixels; i++) {
      const p = mask[i] as number;
      const t = truth[i] as number;
      both += p & t;
      predicted += p;
      lesion += t;
    }
    if (lesion > 0) sliceDice.push((2 * both) / (predicted + lesion));
    else if (predicted > 0) {
      falsePositiveSlices++;
      falsePositivePixels += predicted;
    }
    total.both += both;
    total.predicted += predicted;
    total.true += lesion;
  }
  const figures: CaseOverlap = {
    ...overlap(total.both, total.predicted - total.both, total.true - total.both),
    lesionSliceDice: average(sliceDice).mean,
    falsePositiveSlices,
    falsePositivePixels,
  };
  return { figures, sliceDice };
}

function summarize(closed: readonly Closed[], threshold: number): MetricsSummary {
  const cases = closed.map((each) => each.metrics);
  const sum = (of: (each: CaseMetrics) => number) => cases.reduce((total, each) => total + of(each), 0);
  const overall = (of: (each: CaseMetrics) => CaseOverlap, slices: readonly number[]): OverallOverlap => ({
    dice: average(cases.map((each) => of(each).dice)),
    iou: average(cases.map((each) => of(each).iou)),
    lesionSliceDice: average(slices),
    pooled: overlap(
      sum((each) => of(each).truePositive),
      sum((each) => of(each).falsePositive),
      sum((each) => of(each).falseNegative),
    ),
    falsePositiveSlices: sum((each) => of(each).falsePositiveSlices),
    falsePositivePixels: sum((each) => of(each).falsePositivePixels),
  });
  const slices = sum((each) => each.slices);
  const lesionSlices = sum((each) => each.lesionSlices);
  return {
    threshold,
    patients: cases.length,
    slices,
    lesionSlices,
    lesionFreeSlices: slices - lesionSlices,
    plain: overall(
      (each) => each.plain,
      closed.flatMap((each) => each.sliceDice),
    ),
    largest: overall(
      (each) => each.largest,
      closed.flatMap((each) => each.sliceDiceLargest),
    ),
    cases,
    notes: notesOn(cases),
  };
}

function notesOn(cases: readonly CaseMetrics[]): string[] {
  const notes: string[] = [];
  const names = (list: readonly CaseMetrics[]) => list.map((each) => each.patient).join(', ');
  const bothEmpty = cases.filter((each) => each.plain.dice === null);
  if (bothEmpty.length > 0) {
    notes.push(
      `Not counted in any mean, because neither truth nor prediction holds a lesion (an empty volume is not a Dice of 1): ${names(bothEmpty)}.`,
    );
  }
  const onlyPredicted = cases.filter((each) => each.truthVoxels === 0 && each.plain.dice !== null);
  if (onlyPredicted.length > 0) {
    notes.push(
      `Counted with Dice 0, because the truth holds no lesion and the prediction does: ${names(onlyPredicted)}.`,
    );
  }
  const missed = cases.filter(
    (each) => each.truthVoxels > 0 && each.plain.truePositive + each.plain.falsePositive === 0,
  );
  if (missed.length === cases.filter((each) => each.truthVoxels > 0).length && missed.length > 0) {
    notes.push(
      'The prediction is all background for every patient with a lesion: train longer, or check the masks.',
    );
  } else if (missed.length > 0) {
    notes.push(`The prediction is all background although there is a lesion: ${names(missed)}.`);
  }
  return notes;
}
