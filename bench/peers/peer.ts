import type { Batch, NetConfig, Weights } from './net.js';

export interface PeerConfig {
  readonly net: NetConfig;
  readonly weights: Weights;
  readonly lr: number;
  readonly momentum: number;
}

/** Loss of every peer: .7 binary cross-entropy on probabilities + .3 dice over the whole batch, smooth 1. */
export const BCE_WEIGHT = 0.7;
export const DICE_WEIGHT = 0.3;

/** A program that trains and runs the same U-Net, so that it can be timed beside others. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** How its net differs from the description, in words for the table; empty where it does not. */
  readonly note: string;
  /** Builds the net with the given weights. No peer does GPU work here that it could leave to the first step. */
  setup(config: PeerConfig): Promise<void>;
  /** One step of SGD with momentum; resolves with the loss when it has been read back. */
  trainStep(batch: Batch): Promise<number>;
  /** Probabilities in NCHW, without dropout. */
  infer(batch: Batch): Promise<Float32Array>;
  /** The parameters as they are now, in PyTorch's layout; absent where a peer only infers. */
  readWeights?(): Promise<Map<string, Float32Array>>;
  /** False for a peer that has no training. */
  readonly trains: boolean;
  dispose(): Promise<void>;
}
