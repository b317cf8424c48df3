/** What a run writes about itself: the shapes of config.json, of metrics.jsonl's lines and of summary.json. */
import type { TuningTable } from '../engine/tuning/table.js';
import type { TrainConfig } from '../unet/config.js';
import type { MetricsSummary } from '../unet/metrics.js';

/** Where and by what a run was made. */
export interface Environment {
  readonly shadergrad: string;
  /** Of the checkout, with `-dirty` where it had changes; null in an installed package. */
  readonly commit: string | null;
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly adapter: { readonly name: string; readonly software: boolean };
}

/** Counts of one side of the split. */
export interface SideFacts {
  readonly patients: number;
  readonly slices: number;
  readonly lesionSlices: number;
}

/** config.json: everything that shaped a run. */
export interface RunConfig {
  readonly format: 'shadergrad-run';
  readonly version: 1;
  /** ISO 8601. */
  readonly started: string;
  /** What was typed, without the program's name. */
  readonly command: readonly string[];
  readonly preset: string;
  readonly training: TrainConfig;
  /** Number of the model's parameters. */
  readonly parameters: number;
  readonly threshold: number;
  readonly stepsPerEpoch: number;
  readonly data: {
    /** Absolute path of the folder or zip. */
    readonly path: string;
    readonly width: number;
    readonly height: number;
    readonly split: string;
    readonly train: SideFacts;
    readonly valid: SideFacts;
  };
  readonly environment: Environment;
  /** The tuning table that chose the kernels, so that a resumed run has the same; null for none, left out for what ships. */
  readonly tuning?: TuningTable | null;
}

/** Means of the three losses. */
export interface Losses {
  readonly loss: number;
  readonly bce: number;
  readonly dice: number;
}

/** The loss scaler of mixed precision: the scale, and how many steps overflowed and were skipped. */
export interface ScalingRecord {
  readonly scale: number;
  readonly skipped: number;
}

/** A line of metrics.jsonl in the midst of an epoch. */
export interface StepRecord extends Losses {
  readonly kind: 'step';
  /** From 1. */
  readonly epoch: number;
  /** Steps done since the run began. */
  readonly step: number;
  readonly lr: number;
  readonly momentum: number;
  /** In mixed precision: as it was for this step. */
  readonly scaling?: ScalingRecord;
}

/** A line of metrics.jsonl at an epoch's end. */
export interface EpochRecord {
  readonly kind: 'epoch';
  /** From 1. */
  readonly epoch: number;
  /** Steps done since the run began. */
  readonly step: number;
  /** Of the epoch's last step. */
  readonly lr: number;
  readonly train: Losses;
  readonly valid: Losses;
  /** Per-patient 3D Dice of the validation patients and what goes with it. */
  readonly quality: EpochQuality;
  /** In mixed precision: after the epoch. */
  readonly scaling?: ScalingRecord;
  /** Whether this is the best epoch so far, by mean validation Dice, then by lower validation loss. */
  readonly best: boolean;
  /** Training and validation. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** The short form of a MetricsSummary. */
export interface EpochQuality {
  readonly meanDice: number | null;
  readonly medianDice: number | null;
  readonly lesionSliceDice: number | null;
  readonly pooledDice: number | null;
  readonly meanDiceLargest: number | null;
  readonly falsePositiveSlices: number;
  readonly falsePositivePixels: number;
  readonly lesionFreeSlices: number;
}

export type MetricRecord = StepRecord | EpochRecord;

/** summary.json: the figures of one checkpoint on one set of patients. */
export interface RunSummary {
  readonly format: 'shadergrad-summary';
  readonly version: 1;
  /** `best`, `last` or a file. */
  readonly checkpoint: string;
  /** The epoch it was saved after, from 1; null when unknown. */
  readonly epoch: number | null;
  /** Which side of the split. */
  readonly patients: 'valid' | 'train' | 'all';
  readonly losses: Losses | null;
  readonly metrics: MetricsSummary;
  /** What a reader must know beside the metrics' own notes, such as how the checkpoint was chosen. */
  readonly notes: readonly string[];
}

/** The figures that go into an epoch's line. */
export function epochQuality({ plain, largest, lesionFreeSlices }: MetricsSummary): EpochQuality {
  return {
    meanDice: plain.dice.mean,
    medianDice: plain.dice.median,
    lesionSliceDice: plain.lesionSliceDice.mean,
    pooledDice: plain.pooled.dice,
    meanDiceLargest: largest.dice.mean,
    falsePositiveSlices: plain.falsePositiveSlices,
    falsePositivePixels: plain.falsePositivePixels,
    lesionFreeSlices,
  };
}
