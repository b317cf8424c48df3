/**
 * What a kernel launch is: a WGSL file, the constants put before it, the buffers it is given and the grid it runs on.
 * Ops return launches; the plan decides where their operands live; the program makes pipelines and bind groups of them.
 */

import type { MoreKernels } from './kernels/moreKernels.js';

/** A `.wgsl` file as imported: its path under `src/shaders/` without the extension, and its text. */
export interface Shader {
  readonly name: string;
  readonly code: string;
}

/** A typed scalar constant, for where a plain integer or boolean does not say enough. */
export interface TypedConstant {
  readonly type: 'f32' | 'i32';
  readonly value: number;
}

/** A type that a kernel knows by name: how an operand's elements are stored. */
export interface TypeConstant {
  readonly type: 'alias';
  readonly value: string;
}

/**
 * An integer is `u32`, a boolean is `bool`, an array is `array<u32, n>`; see {@link f32}, {@link i32} and
 * {@link storedType} for the rest.
 */
export type Constant = number | boolean | readonly number[] | TypedConstant | TypeConstant;
export type Constants = Readonly<Record<string, Constant>>;

export function f32(value: number): TypedConstant {
  return { type: 'f32', value };
}

export function i32(value: number): TypedConstant {
  return { type: 'i32', value };
}

/** `u8` is stored four to a `u32` word; `f16` needs a device with the feature `shader-f16`. */
export type DType = 'f32' | 'f16' | 'u32' | 'u8';

/** Bytes of one element. */
export function elementBytes(dtype: DType): 1 | 2 | 4 {
  return dtype === 'u8' ? 1 : dtype === 'f16' ? 2 : 4;
}

/**
 * The constant `X_TYPE` of a kernel that reads or writes f32 and f16 alike: what `lanes` neighbouring elements of the
 * operand are in its storage. Kernels compute in f32: they load by `f32(x[i])` and store by `X_TYPE(value)`.
 */
export function storedType({ dtype }: Pick<Operand, 'dtype'>, lanes: 1 | 2 | 4 = 1): TypeConstant {
  const scalar = dtype === 'u8' ? 'u32' : dtype;
  return { type: 'alias', value: lanes === 1 ? scalar : `vec${lanes}<${scalar}>` };
}

/** Where the elements of a tensor lie in its storage: element offset and a stride for each axis, in elements. */
export interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** A place for data as the plan sees it, before it is a buffer. Several operands may be views of one storage. */
export interface Storage {
  readonly id: number;
  readonly bytes: number;
}

/** A tensor as a kernel sees it. */
export interface Operand {
  readonly storage: Storage;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly layout: Layout;
}

/** How a kernel uses a binding; `read_write` is in place. */
export type Access = 'read' | 'write' | 'read_write' | 'uniform';

/** An operand at a kernel's `@binding`. */
export interface Binding {
  /** `@binding` number, all in `@group(0)`. */
  readonly at: number;
  readonly operand: Operand;
  readonly access: Access;
  /** The part of the operand's storage that is bound, where not all is. In bytes; `from` is a multiple of 256. */
  readonly range?: { readonly from: number; readonly bytes: number };
}

/** Bindings of a kernel that reads `inputs`, from 0 on, and writes `output`, the next. */
export function readThenWrite(inputs: readonly Operand[], output: Operand): Binding[] {
  const reads = inputs.map((operand, at): Binding => ({ at, operand, access: 'read' }));
  return [...reads, { at: inputs.length, operand: output, access: 'write' }];
}

/** One dispatch of a kernel, before its operands have buffers. */
export interface Launch {
  /** The kernel and what stands before it in the module, in that order: generated constants, `pieces`, `shader`. */
  readonly shader: Shader;
  readonly pieces?: readonly Shader[];
  readonly constants: Constants;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [number, number, number];
  /** Variant and tile in words, for the printed plan: `tiled 4x4x4`. */
  readonly variant: string;
  /** Floating-point operations of the plain algorithm (a multiply-add is two). */
  readonly flops: number;
  /** Least bytes that must move: each operand read or written once. */
  readonly bytes: number;
}

/** What the plan may know of a device: facts only, so that a plan needs no GPU. */
export interface DeviceFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for adapters that run on the CPU (llvmpipe, SwiftShader). */
  readonly software: boolean;
  /** Key of the tuning table: `llvmpipe`, `swiftshader`, `nvidia`, `amd`, `intel`, `apple`, `other`. */
  readonly kind: string;
  readonly features: readonly string[];
  /** Lanes of a subgroup where the feature `subgroups` was granted and the size never varies. */
  readonly subgroupSize?: number | undefined;
  /** Where it was asked for (`subgroupMatrixKernels`) and the experimental feature was granted. */
  readonly subgroupMatrices?: readonly SubgroupMatrix[] | undefined;
  readonly limits: DeviceLimits;
}

/** Matrices that a subgroup multiplies at once: m x k and k x n of `component` to m x n of `result`. */
export interface SubgroupMatrix {
  readonly component: 'f32' | 'f16';
  readonly result: 'f32' | 'f16';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Limits as granted, by WebGPU's names: bytes and counts. */
export interface DeviceLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxUniformBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly minStorageBufferOffsetAlignment: number;
}

/** What the choice between kernels depends on: for one to be near another, forms must be equal and sizes alike. */
export interface Problem {
  /** Without spaces: `3x3s1p1`. */
  readonly form: string;
  readonly sizes: readonly number[];
}

/** A kernel that could run a problem. */
export interface Candidate {
  readonly name: string;
  /** Expected share of the device's ceiling; null where it cannot run the problem. */
  readonly share: number | null;
}

/** What an op is given while it turns itself into launches. */
export interface Lowering {
  readonly facts: DeviceFacts;
  /** What the plan may choose beside the kernels that every plan has. */
  readonly kernels?: MoreKernels | undefined;
  /** Variant forced by the caller for this op, if any. */
  readonly forced?: string | undefined;
  /**
   * The plan's choice among the kernels of an op, by name. Outside of a plan it is absent: then the forced one runs, and
   * it is an error if it cannot, else the one of the greatest share.
   */
  choose?(problem: Problem, candidates: readonly Candidate[]): string;
  /** A contiguous scratch tensor that lives only within this op's launches. */
  scratch(shape: readonly number[], dtype?: DType): Operand;
  /**
   * Words that a kernel reads at run time, uploaded once: for sizes of a kernel that is long to compile, so that one pipeline
   * serves all layers.
   */
  constant(words: readonly number[]): Operand;
  /** The program's run-time scalars: a uniform buffer of `array<vec4<u32>, NUM_SCALARS / 4>`. */
  readonly scalars: Operand;
  /** Index in {@link scalars} of a run-time scalar by name (`step`, `seed`, `lr`, ...); it is made if it is not there. */
  scalar(name: string): number;
}

/** Constants `NAME_KEY` of what stands under each key. */
export function prefixed(name: string, constants: Constants): Constants {
  return Object.fromEntries(Object.entries(constants).map(([key, value]) => [`${name}_${key}`, value]));
}

/** Strides of a contiguous tensor. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] as number;
  }
  return strides;
}

export function numel(shape: readonly number[]): number {
  let n = 1;
  for (const size of shape) n *= size;
  return n;
}

/** Bytes of operands, each moved once. */
export function operandBytes(...operands: readonly Operand[]): number {
  return operands.reduce((sum, { shape, dtype }) => sum + elementBytes(dtype) * numel(shape), 0);
}

/** Bytes of one tensor on its own, padded to whole words. */
export function byteLength(shape: readonly number[], dtype: DType): number {
  return Math.ceil((numel(shape) * elementBytes(dtype)) / 4) * 4;
}
