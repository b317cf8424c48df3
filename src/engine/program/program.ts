import type { Device, GpuError } from '../device.js';
import { fail, shapeText } from '../errors.js';
import { fromHalf, toHalf } from '../half.js';
import { type DType, numel } from '../kernel.js';
import type { Plan, PlanInput, PlanOutput, PlanStep } from '../plan/types.js';
import type { StateBuffer } from '../state.js';
import { type Compiled, pipelineFor } from './pipelines.js';
import { markChanged, stateOnDevice } from './residence.js';
import { bufferUsage, MAP_READ_MODE } from './usage.js';

export type HostArray = Float32Array | Uint32Array | Uint8Array;

/** A value read back: row-major. */
export class Value {
  constructor(
    readonly shape: readonly number[],
    readonly data: HostArray,
  ) {}

  /** The one number of a scalar. */
  item(): number {
    if (this.data.length !== 1) fail(`item: ${shapeText(this.shape)} is not a single value.`);
    return this.data[0] as number;
  }
}

/** Run-time scalars that kernels read as whole numbers; all others are f32. */
const integers = new Set(['seed', 'step', 'sgdFirst', 'adamStep']);

/** How many results may be waiting to be read before a run waits for one. */
const STAGING = 3;

const DESTROYED = 'run: this program was destroyed.';

interface Staging {
  readonly buffer: GPUBuffer;
  busy: Promise<unknown> | null;
}

/** What a run gives back. */
export interface RunOptions<O extends string = string> {
  /** Outputs to read back; all of them when left out. Reading less saves copies. */
  readonly fetch?: readonly O[];
}

/** A plan made real: pipelines, buffers and bind groups are there, and each run only writes inputs, encodes and submits. */
export class Program<I extends string = string, O extends string = string> {
  #runs = 0;
  #destroyed = false;
  /** Runs that wait for a place for their results; while there are any, later ones wait behind them. */
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #writtenStates: readonly StateBuffer[];

  private constructor(
    readonly device: Device,
    readonly plan: Plan,
    private readonly compiled: readonly Compiled[],
    private readonly bindGroups: readonly GPUBindGroup[],
    private readonly buffers: readonly GPUBuffer[],
    private readonly own: readonly GPUBuffer[],
    private readonly staging: readonly Staging[],
    private readonly stagingOffsets: ReadonlyMap<string, number>,
    private readonly scalarData: {
      readonly f32: Float32Array<ArrayBuffer>;
      readonly u32: Uint32Array<ArrayBuffer>;
    },
  ) {
    const written = new Set(
      plan.steps.flatMap(({ bindings }) =>
        bindings.filter(({ access }) => access !== 'read').map(({ buffer }) => plan.buffers[buffer]?.state),
      ),
    );
    this.#writtenStates = [...written].filter((state) => state !== undefined);
  }

  static async build<I extends string, O extends string>(
    device: Device,
    plan: Plan,
    onProgress?: (done: number, total: number) => void,
  ): Promise<Program<I, O>> {
    device.check();
    let done = 0;
    const compiled = await Promise.all(
      plan.steps.map(async (step) => {
        const result = await pipelineFor(device, step);
        onProgress?.(++done, plan.steps.length);
        return result;
      }),
    );
    const own: GPUBuffer[] = [];
    try {
      return await device.scoped('the buffers of a program', () => {
        const create = (label: string, size: number, usage: number) => {
          const buffer = device.gpu.createBuffer({
            label,
            size: Math.max(4, Math.ceil(size / 4) * 4),
            usage,
          });
          own.push(buffer);
          return buffer;
        };
        const storage =
          bufferUsage.STORAGE | bufferUsage.UNIFORM | bufferUsage.COPY_SRC | bufferUsage.COPY_DST;
        const buffers = plan.buffers.map(({ role, bytes, state, data, id }) => {
          if (state) return stateOnDevice(device, state);
          if (role === 'scalars') return create('scalars', bytes, bufferUsage.UNIFORM | bufferUsage.COPY_DST);
          const buffer = create(`${role} ${id}`, bytes, storage);
          if (data) device.gpu.queue.writeBuffer(buffer, 0, padded(data));
          return buffer;
        });
        const offsets = new Map<string, number>();
        let total = 0;
        for (const output of plan.outputs) {
          offsets.set(output.name, total);
          total += Math.ceil(output.bytes / 8) * 8;
        }
        const staging: Staging[] = [];
        for (let i = 0; i < (total > 0 ? STAGING : 0); i++) {
          staging.push({
            buffer: create('staging', total, bufferUsage.MAP_READ | bufferUsage.COPY_DST),
            busy: null,
          });
        }
        const bindGroups = plan.steps.map((step, i) =>
          bindGroup(device, step, compiled[i] as Compiled, buffers),
        );
        const scalars = new ArrayBuffer(plan.buffers.find((b) => b.role === 'scalars')?.bytes ?? 4);
        const scalarData = { f32: new Float32Array(scalars), u32: new Uint32Array(scalars) };
        return new Program<I, O>(
          device,
          plan,
          compiled,
          bindGroups,
          buffers,
          own,
          staging,
          offsets,
          scalarData,
        );
      });
    } catch (error) {
      for (const buffer of own) buffer.destroy();
      throw error;
    }
  }

  /**
   * Runs once. `inputs` are row-major arrays by name. `scalars` are the run-time scalars the program reads (lr, momentum,
   * ...); `seed` is 0 and `step` counts runs from 0 unless given. The work is submitted before this returns, so that the
   * next batch can be prepared meanwhile; only where three results still wait to be read does it wait for one, and leave
   * the arrays as they are until then. Runs are submitted in the order of the calls.
   */
  async run(
    inputs: Readonly<Record<I, HostArray>>,
    scalars: Readonly<Record<string, number>> = {},
    options: RunOptions<O> = {},
  ): Promise<Record<O, Value>> {
    const wanted = this.plan.outputs.filter(
      ({ name }) => !options.fetch || options.fetch.includes(name as O),
    );
    const place = () => (wanted.length > 0 ? this.staging.find(({ busy }) => busy === null) : null);
    const free = place();
    if (this.#waiting === 0 && free !== undefined) return this.#submit(inputs, scalars, wanted, free);
    this.#waiting++;
    const turn = this.#turn.then(async () => {
      try {
        for (let found = place(); ; found = place()) {
          // Boxed, so that the next in line does not wait for this one's results.
          if (found !== undefined) return { reading: this.#submit(inputs, scalars, wanted, found) };
          await Promise.race(this.staging.map(({ busy }) => busy));
          this.device.check();
        }
      } finally {
        this.#waiting--;
      }
    });
    this.#turn = turn.catch(() => {});
    return (await turn).reading;
  }

  /** Writes inputs, encodes and submits; the results come by `staging`, if any are wanted. */
  #submit(
    inputs: Readonly<Record<string, HostArray>>,
    scalars: Readonly<Record<string, number>>,
    wanted: readonly PlanOutput[],
    staging: Staging | null,
  ): Promise<Record<O, Value>> {
    this.prepare(inputs, scalars);
    const { gpu } = this.device;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const i of this.plan.steps.keys()) this.#dispatch(pass, i);
    pass.end();
    if (staging) {
      for (const { name, buffer, byteOffset, bytes } of wanted) {
        encoder.copyBufferToBuffer(
          this.bufferAt(buffer),
          byteOffset,
          staging.buffer,
          this.stagingOffsets.get(name) ?? 0,
          bytes,
        );
      }
    }
    gpu.queue.submit([encoder.finish()]);
    if (!staging) return Promise.resolve({} as Record<O, Value>);
    const mapped = this.device.guard(staging.buffer.mapAsync(MAP_READ_MODE)).catch((error: GpuError) => {
      // A platform says little of a buffer that went away.
      if (this.#destroyed && error.code === 'internal') fail(DESTROYED);
      throw error;
    });
    const reading = mapped.then(() => {
      const entries = wanted.map(({ name, shape, dtype, bytes }) => {
        const range = staging.buffer.getMappedRange(this.stagingOffsets.get(name) ?? 0, bytes).slice(0);
        return [name, new Value(shape, hostView(dtype, range, shape))] as const;
      });
      staging.buffer.unmap();
      return Object.fromEntries(entries) as Record<O, Value>;
    });
    const busy = reading.then(
      () => {},
      () => {},
    );
    staging.busy = busy;
    void busy.then(() => {
      staging.busy = null;
    });
    return reading;
  }

  /**
   * Puts dispatches into a pass of the caller's own, on what the last run left in the buffers: for timing kernels again
   * and again without uploads and copies.
   *
   * @param steps indices into `plan.steps`; all when left out
   */
  encode(pass: GPUComputePassEncoder, steps?: readonly number[]): void {
    if (this.#destroyed) fail('encode: this program was destroyed.');
    for (const state of this.#writtenStates) markChanged(state);
    for (const i of steps ?? this.plan.steps.keys()) this.#dispatch(pass, i);
  }

  /** Frees the program's buffers. Parameters stay. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const buffer of this.own) buffer.destroy();
  }

  /** @internal The GPU buffer of a buffer of the plan. */
  bufferAt(id: number): GPUBuffer {
    return this.buffers[id] as GPUBuffer;
  }

  #dispatch(pass: GPUComputePassEncoder, i: number): void {
    pass.setPipeline((this.compiled[i] as Compiled).pipeline);
    pass.setBindGroup(0, this.bindGroups[i] as GPUBindGroup);
    pass.dispatchWorkgroups(...((this.plan.steps[i] as PlanStep).workgroups as [number, number, number]));
  }

  /** @internal Checks and writes inputs and scalars: a run's beginning. */
  prepare(inputs: Readonly<Record<string, HostArray>>, scalars: Readonly<Record<string, number>>): void {
    if (this.#destroyed) fail(DESTROYED);
    this.device.check();
    for (const state of this.#writtenStates) markChanged(state);
    const { queue } = this.device.gpu;
    for (const input of this.plan.inputs) {
      const data = inputs[input.name];
      checkInput(input, data);
      const words = input.dtype === 'f16' ? toHalf(data as Float32Array) : data;
      queue.writeBuffer(this.bufferAt(input.buffer), 0, padded(words));
    }
    if (this.plan.scalars.length > 0) this.#writeScalars(scalars);
    this.#runs++;
  }

  #writeScalars(scalars: Readonly<Record<string, number>>): void {
    const step = scalars.step ?? this.#runs;
    const defaults: Record<string, number> = {
      seed: 0,
      step,
      sgdFirst: step === 0 ? 1 : 0,
      adamStep: step + 1,
    };
    this.plan.scalars.forEach((name, i) => {
      const value =
        scalars[name] ??
        defaults[name] ??
        fail(`run: this program reads the scalar "${name}"; give it in the second argument.`);
      if (integers.has(name)) this.scalarData.u32[i] = value;
      else this.scalarData.f32[i] = value;
    });
    const at = this.plan.buffers.findIndex((b) => b.role === 'scalars');
    this.device.gpu.queue.writeBuffer(this.bufferAt(at), 0, this.scalarData.f32);
  }
}

function bindGroup(
  device: Device,
  step: PlanStep,
  { layout }: Compiled,
  buffers: readonly GPUBuffer[],
): GPUBindGroup {
  return device.gpu.createBindGroup({
    label: step.label,
    layout,
    entries: step.bindings.map(({ at, buffer, byteOffset, bytes }) => ({
      binding: at,
      resource: { buffer: buffers[buffer] as GPUBuffer, offset: byteOffset, size: Math.ceil(bytes / 4) * 4 },
    })),
  });
}

/** What the host holds a tensor's values in; f16 is rounded on the way in and widened on the way out. */
const arrays = { f32: Float32Array, f16: Float32Array, u32: Uint32Array, u8: Uint8Array } as const;

function checkInput(input: PlanInput, data: HostArray | undefined): asserts data is HostArray {
  const { name, dtype, shape } = input;
  if (data === undefined) fail(`run: input "${name}" ${shapeText(shape)} is missing.`);
  if (!(data instanceof arrays[dtype])) fail(`run: input "${name}" must be a ${arrays[dtype].name}.`);
  if (data.length !== numel(shape)) {
    fail(`run: input "${name}" has ${data.length} values, but ${shapeText(shape)} needs ${numel(shape)}.`);
  }
}

/** writeBuffer wants whole words. */
function padded(data: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  if (data.byteLength % 4 === 0) return data as ArrayBufferView<ArrayBuffer>;
  const bytes = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytes;
}

/** @internal What was read back, as an array of the tensor's type. */
export function hostView(dtype: DType, range: ArrayBuffer, shape: readonly number[]): HostArray {
  if (dtype === 'f16') return fromHalf(new Uint16Array(range, 0, numel(shape)));
  if (dtype === 'u8') return new Uint8Array(range, 0, numel(shape));
  return dtype === 'u32' ? new Uint32Array(range) : new Float32Array(range);
}
