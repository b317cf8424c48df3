import { fail, shapeText } from './errors.js';
import type { DeviceFacts, DType, Launch, Lowering, Operand } from './kernel.js';
import { copyStrided } from './kernels/movement.js';
import type { PlanGraph, PlanNode } from './plan/graph.js';
import type { Tenant } from './plan/place.js';
import type { Store } from './plan/storage.js';
import type { StateBuffer } from './state.js';
import { type Parameter, sameShape, type Tensor } from './tensor.js';

/**
 * What a program does beside computing its outputs: an optimiser's update, an assignment. Effects run after everything else, in
 * the order recorded. They bring their own planning, so that a page that only infers does not carry it.
 */
export interface Effect {
  /** Tensors whose values it takes. */
  readonly reads: readonly Tensor[];
  readonly writes: readonly Parameter[];
  /** Lists of parameters that are placed each on its own, so that those of equal shapes have the same layout. */
  readonly lists: readonly (readonly Parameter[])[];
  /** Before anything is lowered; what it returns lowers the effect, after everything else. */
  plan(planner: EffectPlanner): () => void;
}

/** What an effect needs of the plan being made. */
export interface EffectPlanner {
  readonly graph: PlanGraph;
  readonly facts: DeviceFacts;
  store(bytes: number): Store;
  /** A range of `parent`. */
  child(parent: Store, byteOffset: number, bytes: number): Store;
  contiguous(shape: readonly number[], dtype: DType, storage?: Store): Operand;
  stateRange(buffer: StateBuffer, byteOffset: number, bytes: number): Store;
  parameterOperand(parameter: Parameter): Operand;
  operandOf(node: PlanNode): Operand;
  tenantsOf(owner: unknown): Tenant[];
  tryPlace(into: Tenant, i: number, owner: unknown, operand: () => Operand): boolean;
  lowering(op: string): Lowering;
  emit(op: string, shape: readonly number[], launches: readonly Launch[]): void;
}

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
  record({
    reads: [value],
    writes: [target],
    lists: [],
    plan: (planner) => () => {
      const from = planner.operandOf(planner.graph.read.get(value) as PlanNode);
      planner.emit('assign', target.shape, copyStrided(from, planner.parameterOperand(target), planner));
    },
  });
}
