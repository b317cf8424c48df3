import type { UNetConfig } from '../../src/unet/model.js';
import type { Failure } from '../rpc/failure.js';

/** A slice as the page shows it. */
export interface SliceView {
  /** The file's name without its ending: what a saved mask is called after. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** [height, width]: the second channel (FLAIR), or the only one. */
  readonly gray: Uint8Array;
  /** [height, width], 0 or 1; null where no true mask is known. */
  readonly truth: Uint8Array | null;
}

export interface VolumeView {
  readonly name: string;
  readonly slices: readonly SliceView[];
  /** What the reader must know of the files, a sentence each. */
  readonly notes: readonly string[];
}

/** Slices that belong together: a patient's, or a folder's. */
export interface Group {
  readonly id: number;
  readonly label: string;
  readonly slices: number;
}

/** What was found among dropped files: slices to open, or only true masks for the slices that are open. */
export type Found =
  | { readonly is: 'slices'; readonly groups: readonly Group[] }
  | {
      readonly is: 'masks';
      /** By index of the open volume's slice. */
      readonly truths: ReadonlyMap<number, Uint8Array>;
      readonly notes: readonly string[];
    };

/** A model the page offers. */
export interface ModelEntry {
  readonly file: string;
  readonly name: string;
  readonly bytes: number;
  /** Changes with the file's bytes. */
  readonly version: string;
}

export interface ModelFacts {
  readonly name: string;
  readonly config: UNetConfig;
  readonly parameters: number;
  /** Above which a pixel is lesion, as its training had it; null where the file does not tell. */
  readonly threshold: number | null;
  /** Side of the square it was trained at; null where the file does not tell. */
  readonly size: number | null;
  readonly bytes: number;
  readonly from: 'network' | 'cache' | 'file';
}

export interface Encoding {
  readonly format: 'tiff' | 'png';
  readonly masks: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    /** 0 or 1 */
    readonly mask: Uint8Array;
  }[];
}

/** What a worker told of its device and its times, for Diagnostics. */
export interface SegmentTimes {
  readonly adapter: string | null;
  readonly compileMs: number | null;
  readonly firstSliceMs: number | null;
  readonly sliceMs: number | null;
}

export type SegmentEvent =
  | {
      readonly is: 'progress';
      readonly what: 'fetch' | 'open' | 'compile' | 'warm-up' | 'run';
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly is: 'probabilities';
      readonly run: number;
      readonly index: number;
      /** [height, width] at the slice's own size. */
      readonly data: Float32Array;
    }
  | { readonly is: 'done'; readonly run: number; readonly times: SegmentTimes }
  | { readonly is: 'failure'; readonly failure: Failure };
