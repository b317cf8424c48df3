/** Runs a list of launches as they come, one buffer a storage: kernels can be tested and timed without graph or plan. */

import {
  byteLength,
  contiguousStrides,
  type DeviceFacts,
  type DType,
  type Launch,
  type Lowering,
  type Operand,
  type Storage,
} from '../../src/engine/kernel.js';
import { moduleText } from '../../src/engine/program/wgsl.js';
import { everyKernel } from '../../src/everyKernel.js';
import { restWhile } from '../../src/node/rest.js';

export type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

let nextStorage = 1;

/** Words of operands that a lowering made as constants. */
const constants = new WeakMap<Storage, Uint32Array<ArrayBuffer>>();

export function newStorage(bytes: number): Storage {
  return { id: nextStorage++, bytes: Math.max(16, Math.ceil(bytes / 16) * 16) };
}

/** A contiguous operand in a storage of its own. */
export function newOperand(shape: readonly number[], dtype: DType = 'f32'): Operand {
  const storage = newStorage(byteLength(shape, dtype));
  return { storage, shape, dtype, layout: { offset: 0, strides: contiguousStrides(shape) } };
}

/** An NCHW operand within a larger storage: `before` elements first, and `gap` more between images. */
export function newPlanes(
  shape: readonly [number, number, number, number],
  space: { readonly before: number; readonly gap: number },
): Operand {
  const [n, c, h, w] = shape;
  const batch = c * h * w + space.gap;
  const storage = newStorage(4 * (space.before + n * batch));
  return {
    storage,
    shape,
    dtype: 'f32',
    layout: { offset: space.before, strides: [batch, h * w, w, 1] },
  };
}

/** A lowering for tests: scratch is fresh storage, and run-time scalars get the values given here. */
export class TestLowering implements Lowering {
  readonly names: string[] = [];
  readonly scalars: Operand = newOperand([16], 'u32');
  readonly kernels = everyKernel;
  readonly values: Record<string, number>;

  constructor(
    readonly facts: DeviceFacts,
    readonly forced?: string,
    values: Record<string, number> = {},
  ) {
    this.values = values;
  }

  scratch(shape: readonly number[], dtype: DType = 'f32'): Operand {
    return newOperand(shape, dtype);
  }

  constant(words: readonly number[]): Operand {
    const operand = newOperand([words.length], 'u32');
    constants.set(operand.storage, Uint32Array.from(words));
    return operand;
  }

  scalar(name: string): number {
    const at = this.names.indexOf(name);
    return at >= 0 ? at : this.names.push(name) - 1;
  }

  /** The scalars as `u32` words. */
  words(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(16);
    this.names.forEach((name, i) => {
      words[i] = this.values[name] ?? 0;
    });
    return words;
  }
}

/** The whole WGSL module of a launch. */
export function wgslOf(launch: Launch): string {
  return moduleText({ NUM_SCALARS: 16, ...launch.constants }, launch.pieces ?? [], launch.shader);
}

const LAYOUT_TYPE = {
  read: 'read-only-storage',
  write: 'storage',
  read_write: 'storage',
  uniform: 'uniform',
} as const;

const USAGE = { storage: 0x80, copySrc: 0x4, copyDst: 0x8, uniform: 0x40, mapRead: 0x1 };

/** Launches made ready: pipelines, buffers and bind groups. */
export class Prepared {
  private readonly buffers = new Map<number, GPUBuffer>();
  private readonly steps: { pipeline: GPUComputePipeline; group: GPUBindGroup; launch: Launch }[] = [];

  private constructor(private readonly device: GPUDevice) {}

  static async make(device: GPUDevice, launches: readonly Launch[]): Promise<Prepared> {
    const prepared = new Prepared(device);
    for (const launch of launches) {
      device.pushErrorScope('validation');
      const code = wgslOf(launch);
      const module = device.createShaderModule({ code, label: launch.shader.name });
      const layout = device.createBindGroupLayout({
        entries: launch.bindings.map(({ at, access }) => ({
          binding: at,
          visibility: 4,
          buffer: { type: LAYOUT_TYPE[access] },
        })),
      });
      const pipeline = device.createComputePipeline({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
      const group = device.createBindGroup({
        layout,
        entries: launch.bindings.map(({ at, operand, range }) => ({
          binding: at,
          resource: {
            buffer: prepared.buffer(operand.storage),
            ...(range ? { offset: range.from, size: range.bytes } : {}),
          },
        })),
      });
      const error = await device.popErrorScope();
      if (error) throw new Error(`${launch.shader.name} (${launch.variant}): ${error.message}`);
      prepared.steps.push({ pipeline, group, launch });
    }
    return prepared;
  }

  private buffer(storage: Storage): GPUBuffer {
    let buffer = this.buffers.get(storage.id);
    if (!buffer) {
      const usage = USAGE.storage | USAGE.copySrc | USAGE.copyDst | USAGE.uniform;
      buffer = this.device.createBuffer({ size: storage.bytes, usage });
      this.buffers.set(storage.id, buffer);
      const words = constants.get(storage);
      if (words) this.device.queue.writeBuffer(buffer, 0, words);
    }
    return buffer;
  }

  write(storage: Storage, words: Words): void {
    this.device.queue.writeBuffer(this.buffer(storage), 0, words);
  }

  /** Fills a storage with a pattern, so that what a kernel leaves unwritten shows. */
  fill(storage: Storage, value: number): void {
    this.write(storage, new Float32Array(storage.bytes / 4).fill(value));
  }

  /** Submits all launches once. */
  submit(times = 1): void {
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < times; i++) {
      for (const { pipeline, group, launch } of this.steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...launch.workgroups);
      }
    }
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  async read(storage: Storage): Promise<Float32Array> {
    const staging = this.device.createBuffer({ size: storage.bytes, usage: USAGE.mapRead | USAGE.copyDst });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.buffer(storage), 0, staging, 0, storage.bytes);
    this.device.queue.submit([encoder.finish()]);
    let open = true;
    restWhile(() => open);
    await staging.mapAsync(1).finally(() => {
      open = false;
    });
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return values;
  }

  destroy(): void {
    for (const buffer of this.buffers.values()) buffer.destroy();
  }
}

/** The elements of an operand, in the order of its shape, out of its storage's words. */
export function gather(operand: Operand, words: ArrayLike<number>): Float64Array {
  const count = operand.shape.reduce((a, b) => a * b, 1);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = words[place(operand, i)] as number;
  return out;
}

/** A storage's words with the operand's elements at their places and `rest` everywhere else. */
export function scatter(operand: Operand, values: ArrayLike<number>, rest = NaN): Float32Array<ArrayBuffer> {
  const words = new Float32Array(operand.storage.bytes / 4).fill(rest);
  for (let i = 0; i < values.length; i++) words[place(operand, i)] = values[i] as number;
  return words;
}

function place(operand: Operand, index: number): number {
  let at = operand.layout.offset;
  let rest = index;
  for (let axis = operand.shape.length - 1; axis >= 0; axis--) {
    const size = operand.shape[axis] as number;
    at += (rest % size) * (operand.layout.strides[axis] as number);
    rest = Math.floor(rest / size);
  }
  return at;
}
