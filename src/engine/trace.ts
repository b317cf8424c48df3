import { fail, shapeText } from './errors.js';
import type { Launch, Lowering, Operand } from './kernel.js';
import type { FlatGradients } from './kernels/gradScaler.js';
import type { UpdatePlanner } from './plan/update.js';
import { type Parameter, sameShape, type Tensor } from './tensor.js';

/** Loss scaling in an update: run over all its gradients before any of them is applied. */
export interface Scaling {
  /** Lies in a buffer of its own, since the update reads it while it writes parameters. */
  readonly state: Parameter;
  lower(gradients: readonly FlatGradients[], state: Operand, ctx: Lowering): Launch[];
}

/**
 * A step of an optimiser on many parameters at once. The plan lays state and gradients side by side and calls `lower`
 * once for each stretch that is contiguous in all of them, so that one launch serves many parameters.
 */
export interface Update {
  readonly kind: 'update';
  readonly name: string;
  /** Lists of equal shapes: the parameters, then what the optimiser keeps for each. */
  readonly state: readonly (readonly Parameter[])[];
  readonly gradients: readonly Tensor[];
  readonly scaling?: Scaling | undefined;
  /** `planUpdate`. */
  plan(update: Update, planner: UpdatePlanner): () => void;
  /** `state[i]` and `gradient` are flat f32 operands of equal length; `scaler` is the state of `scaling`. */
  lower(state: readonly Operand[], gradient: Operand, ctx: Lowering, scaler?: Operand): Launch[];
}

export interface Assignment {
  readonly kind: 'assign';
  readonly target: Parameter;
  readonly value: Tensor;
}

/** What a program does beside computing its outputs. Effects run after everything else, in the order recorded. */
export type Effect = Update | Assignment;

let recording: Effect[] | null = null;

/** Runs `build` and collects the effects it records. */
export function trace<T>(build: () => T): { result: T; effects: Effect[] } {
  if (recording) fail('compile: a program cannot be compiled inside the function of another.');
  recording = [];
  try {
    return { result: build(), effects: recording };
  } finally {
    recording = null;
  }
}

export function record(effect: Effect): void {
  if (!recording)
    fail('Parameters change only inside a compiled program: call this in the function given to compile().');
  recording.push(effect);
}

/** Gives `target` a new value when the program runs, after everything else in it was computed. */
export function assign(target: Parameter, value: Tensor): void {
  if (!sameShape(target.shape, value.shape)) {
    fail(
      `assign: the value ${shapeText(value.shape)} does not fit the parameter ${shapeText(target.shape)}.`,
    );
  }
  record({ kind: 'assign', target, value });
}
