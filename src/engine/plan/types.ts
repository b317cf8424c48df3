import type { Access, Constants, DType, Layout, Shader } from '../kernel.js';
import type { StateBuffer } from '../state.js';

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

/** One dispatch. */
export interface PlanStep {
  /** Op and result: `conv2d [4, 16, 128, 128]`. */
  readonly label: string;
  readonly op: string;
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
