import type { Array64 } from './array.js';
import { type BinaryOptions, binary } from './binary.js';
import { type ConvOptions, type ConvTransposeOptions, conv2d, convTranspose2d } from './conv.js';
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type DiceOptions,
  diceLoss,
  type LossOptions,
} from './loss.js';
import {
  type CatOptions,
  cat,
  type ExpandOptions,
  expand,
  type PadOptions,
  type PermuteOptions,
  pad,
  permute,
  type ReshapeOptions,
  reshape,
  type SliceOptions,
  slice,
} from './movement.js';
import { type BatchNormOptions, batchNorm } from './norm.js';
import type { ReferenceOp } from './op.js';
import { type MaxPoolOptions, maxPool2d } from './pool.js';
import { amax, mean, type ReduceOptions, sum } from './reduce.js';
import { type UnaryOptions, unary } from './unary.js';

/** The options of each op, by its name: what a case of that op must give. */
export interface OpOptions {
  readonly unary: UnaryOptions;
  readonly binary: BinaryOptions;
  readonly conv2d: ConvOptions;
  readonly convTranspose2d: ConvTransposeOptions;
  readonly maxPool2d: MaxPoolOptions;
  readonly sum: ReduceOptions;
  readonly mean: ReduceOptions;
  readonly amax: ReduceOptions;
  readonly reshape: ReshapeOptions;
  readonly slice: SliceOptions;
  readonly pad: PadOptions;
  readonly permute: PermuteOptions;
  readonly expand: ExpandOptions;
  readonly cat: CatOptions;
  readonly binaryCrossEntropy: LossOptions;
  readonly binaryCrossEntropyWithLogits: LossOptions;
  readonly diceLoss: DiceOptions;
  readonly batchNorm: BatchNormOptions;
}

export type OpName = keyof OpOptions;

export const referenceOps: { readonly [Name in OpName]: ReferenceOp<OpOptions[Name]> } = {
  unary,
  binary,
  conv2d,
  convTranspose2d,
  maxPool2d,
  sum,
  mean,
  amax,
  reshape,
  slice,
  pad,
  permute,
  expand,
  cat,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  diceLoss,
  batchNorm,
};

/** An op with options that fit it. */
export interface Call<Name extends OpName = OpName> {
  readonly op: Name;
  readonly options: OpOptions[Name];
}

export function referenceForward<Name extends OpName>(call: Call<Name>, inputs: readonly Array64[]): Array64 {
  return referenceOps[call.op].forward(inputs, call.options);
}

export function referenceVjp<Name extends OpName>(
  call: Call<Name>,
  inputs: readonly Array64[],
  g: Array64,
): (Array64 | null)[] {
  return referenceOps[call.op].vjp(inputs, call.options, g);
}
