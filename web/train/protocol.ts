import type { TrainConfig } from '../../src/unet/config.js';
import type { Failure } from '../rpc/failure.js';

export type TrainData =
  | { readonly is: 'synthetic'; readonly patients: number; readonly slices: number; readonly size: number }
  /** Of a folder, or one zip. */
  | { readonly is: 'files'; readonly files: ReadonlyMap<string, File> };

export interface TrainSetup {
  readonly data: TrainData;
  readonly config: TrainConfig;
}

/** What is going to be trained, before its first step. */
export interface TrainFacts {
  readonly adapter: string;
  readonly parameters: number;
  readonly kernels: number;
  readonly train: { readonly patients: number; readonly slices: number };
  readonly valid: { readonly patients: number; readonly slices: number };
  readonly steps: number;
  /** Bytes of a step's buffers, weights and optimiser included. */
  readonly bytes: number;
}

export interface StepEntry {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
}

export interface EpochEntry {
  /** From 1. */
  readonly epoch: number;
  /** Steps done by then. */
  readonly step: number;
  readonly loss: number;
  readonly validLoss: number;
  /** Mean 3D Dice of the held-out patients; null where no patient has a value. */
  readonly dice: number | null;
  readonly imagesPerSecond: number;
}

/** A held-out slice as the model sees it now. Planes are [height, width]. */
export interface SampleView {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly gray: Uint8Array;
  readonly truth: Uint8Array;
  readonly mask: Uint8Array;
}

export type TrainEvent =
  | {
      readonly is: 'progress';
      readonly what: 'data' | 'open' | 'compile' | 'warm-up' | 'validate';
      readonly done: number;
      readonly total: number;
    }
  | { readonly is: 'step'; readonly entry: StepEntry }
  | { readonly is: 'epoch'; readonly entry: EpochEntry; readonly samples: readonly SampleView[] }
  | { readonly is: 'paused' }
  | { readonly is: 'ended'; readonly done: boolean }
  | { readonly is: 'failure'; readonly failure: Failure };
