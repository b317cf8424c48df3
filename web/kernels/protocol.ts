import type { CaseName } from '../../bench/context.js';
import type { Row } from '../../bench/report.js';

export type SuiteName = 'ladder' | 'step' | 'infer' | 'profile';

/** An op that has a ladder, and its layers in the net. */
export interface LadderInfo {
  readonly name: string;
  readonly about: string;
  readonly layers: readonly string[];
}

/** Which problem: a net, an op, one of its layers. */
export interface Place {
  readonly net: CaseName;
  readonly op: string;
  readonly layer: string;
}

/** A step of a ladder that can run here, with the file that does most of its work. */
export interface VariantInfo {
  readonly name: string;
  /** True for what the plan takes. */
  readonly chosen: boolean;
  readonly file: string;
  readonly source: string;
  readonly workgroups: readonly number[];
}

export interface BenchRequest extends Place {
  readonly suites: readonly SuiteName[];
  readonly runs: number;
}

export interface KernelRequest extends Place {
  readonly variant: string;
  readonly code: string;
  readonly runs: number;
}

/** Rows, and on what they were measured. */
export interface Measured {
  readonly adapter: string;
  readonly software: boolean;
  readonly rows: readonly Row[];
}

/** What is being measured, in words. */
export type KernelsEvent = { readonly is: 'log'; readonly text: string };
