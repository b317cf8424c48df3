import type { Access, Candidate, Constants, DType, Layout, Shader } from '../kernel.js';
import type { Op } from '../op.js';
import type { StateBuffer } from '../state.js';
import type { Why } from '../tuning/choose.js';

export type BufferRole = 'transient' | 'state' | 'constant' | 'scalars';

export interface PlanBuffer {
  readonly id: number;
  bytes: number;
  readonly role: BufferRole;
  /** For role `state`. */
  readonly state?: StateBuffer;
  /** For role `constant`: what is uploaded once. */
  readonly data?: ArrayBufferView;
}

export interface PlanBinding {
  readonly at: number;
  readonly access: Access;
  readonly buffer: number;
  readonly byteOffset: number;
  readonly bytes: number;
}

/** A tensor that an op was given or made, without its place. */
export interface TensorForm {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A choice between kernels that the plan took, with what another choice would be measured on. */
export interface Choice {
  readonly op: Op;
  /** The problem's key in a tuning table: op, form and sizes. */
  readonly problem: string;
  /** All kernels of the op, from the plainest; share null where one cannot run the problem. */
  readonly candidates: readonly Candidate[];
  readonly variant: string;
  readonly why: Why;
  /** Milliseconds by the tuning table's own entry, all launches of the op together. */
  readonly milliseconds?: number;
  readonly inputs: readonly TensorForm[];
  readonly output: TensorForm;
  readonly attrs: unknown;
}

/** One dispatch. */
export interface PlanStep {
  /** Op and result: `conv2d [4, 16, 128, 128]`. */
  readonly label: string;
  readonly op: string;
  /** Counts ops in the order of computing: launches of one op have the same. */
  readonly group: number;
  /** Where the op had several kernels to choose from. */
  readonly choice?: Choice;
  readonly shader: Shader;
  readonly pieces: readonly Shader[];
  readonly constants: Constants;
  readonly bindings: readonly PlanBinding[];
  readonly workgroups: readonly [number, number, number];
  readonly variant: string;
  readonly flops: number;
  readonly bytes: number;
}

export interface PlanInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly buffer: number;
  readonly bytes: number;
}

export interface PlanOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly buffer: number;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly layout: Layout;
}

export interface PlanMemory {
  /** Bytes of all transient buffers: inputs, intermediates, scratch, outputs. */
  readonly transient: number;
  /** Largest sum of what is live at one step: no plan with these kernels in this order can do with less. */
  readonly least: number;
  /** Parameters and optimiser state, shared with other programs. */
  readonly state: number;
  readonly constant: number;
}

/** Everything a program will do, decided without a GPU. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly buffers: readonly PlanBuffer[];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  /** Names of the run-time scalars, by index in the scalar buffer. */
  readonly scalars: readonly string[];
  readonly memory: PlanMemory;
  readonly flops: number;
  readonly bytes: number;
}
