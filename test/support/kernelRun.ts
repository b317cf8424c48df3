import {
  contiguousStrides,
  type DType,
  type Launch,
  type Layout,
  numel,
  type Operand,
} from '../../src/engine/kernel.js';
import { testDevice } from './device.js';
import { newStorage, Prepared, TestLowering } from './runLaunches.js';

/** Place in the storage of each element of an operand, in row-major order. */
export function places({ shape, layout }: Operand): number[] {
  const out: number[] = [];
  const count = numel(shape);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = layout.offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      at += (rest % size) * (layout.strides[axis] as number);
      rest = Math.floor(rest / size);
    }
    out.push(at);
  }
  return out;
}

/** Kernels are launched in another form on adapters that run on the CPU; each form is right on every adapter. */
export type Form = 'GPU' | 'CPU';
export const FORMS: readonly Form[] = ['GPU', 'CPU'];

/** Operands with data, and what a run of launches leaves in them. */
export class KernelRun {
  private readonly data = new Map<number, Uint32Array<ArrayBuffer>>();

  private constructor(
    readonly gpu: GPUDevice,
    readonly ctx: TestLowering,
  ) {}

  /** @param form launch as for a GPU or as for an adapter that runs on the CPU; as for the adapter itself if left out */
  static async open(form?: Form): Promise<KernelRun> {
    const device = await testDevice();
    const software = form === undefined ? device.facts.software : form === 'CPU';
    return new KernelRun(device.gpu, new TestLowering({ ...device.facts, software }));
  }

  /** An operand that holds `values` in row-major order, in any layout; the rest of its storage is NaN. */
  put(values: ArrayLike<number>, shape: readonly number[], layout?: Layout, dtype: DType = 'f32'): Operand {
    const x = this.out(shape, layout, dtype);
    const words = this.words(x);
    const view =
      dtype === 'f32'
        ? new Float32Array(words.buffer)
        : dtype === 'u32'
          ? words
          : new Uint8Array(words.buffer);
    places(x).forEach((at, i) => {
      view[at] = values[i] as number;
    });
    return x;
  }

  /** An operand to be written; its storage has room behind it, which {@link readAlone} finds untouched or throws. */
  out(shape: readonly number[], layout?: Layout, dtype: DType = 'f32'): Operand {
    const made: Layout = layout ?? { offset: 0, strides: contiguousStrides(shape) };
    const reach = shape.reduce((sum, n, i) => sum + (n - 1) * (made.strides[i] as number), made.offset);
    const storage = newStorage((dtype === 'u8' ? 1 : 4) * (reach + 1) + 32);
    return { storage, shape, dtype, layout: made };
  }

  /** Sets the run-time scalars: floats, or `{ u32 }`. Call it after the launches were made. */
  scalars(values: Readonly<Record<string, number | { readonly u32: number }>>): void {
    const words = new Uint32Array(16);
    const floats = new Float32Array(words.buffer);
    for (const [name, value] of Object.entries(values)) {
      const at = this.ctx.scalar(name);
      if (typeof value === 'number') floats[at] = value;
      else words[at] = value.u32;
    }
    this.data.set(this.ctx.scalars.storage.id, words);
  }

  /** Runs launches on what the operands hold; what was never given holds NaN. */
  async run(launches: readonly Launch[]): Promise<void> {
    const prepared = await Prepared.make(this.gpu, launches);
    const operands = new Map(
      launches.flatMap(({ bindings }) => bindings.map(({ operand }) => [operand.storage.id, operand])),
    );
    const written = new Set(
      launches.flatMap(({ bindings }) =>
        bindings.filter(({ access }) => access.includes('write')).map(({ operand }) => operand.storage.id),
      ),
    );
    for (const operand of operands.values()) prepared.write(operand.storage, this.words(operand));
    prepared.submit();
    for (const id of written) {
      const operand = operands.get(id) as Operand;
      const words = await prepared.read(operand.storage);
      this.data.set(id, new Uint32Array(words.buffer as ArrayBuffer));
    }
    prepared.destroy();
  }

  private words(x: Operand): Uint32Array<ArrayBuffer> {
    const words = this.data.get(x.storage.id) ?? new Uint32Array(x.storage.bytes / 4).fill(0xffffffff);
    this.data.set(x.storage.id, words);
    return words;
  }

  /** What `y` holds, row-major. */
  read(y: Operand): Float64Array {
    const words = this.words(y);
    const all = y.dtype === 'u32' ? words : new Float32Array(words.buffer);
    const at = places(y);
    return Float64Array.from(at, (i) => all[i] as number);
  }

  /** {@link read}, having made sure that what lies around y in its storage was left alone. */
  readAlone(y: Operand): Float64Array {
    const own = new Set(places(y));
    this.words(y).forEach((word, i) => {
      if (!own.has(i) && word !== 0xffffffff)
        throw new Error(`Element ${i} of the storage was written, outside the operand.`);
    });
    return this.read(y);
  }
}

/** Norm of the difference over norm of the expected; NaN and infinities must match in place. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values, but ${expected.length} expected.`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    if (!Number.isFinite(e)) {
      if (!Object.is(a, e)) throw new Error(`Element ${i} is ${a}, not ${e}.`);
      continue;
    }
    difference += (a - e) ** 2;
    norm += e ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

/** Numbers from a small generator, in [low, high). */
export function numbers(count: number, low = -1, high = 1, seed = 1): Float64Array {
  let state = (seed * 2654435761) >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(low + ((high - low) * (state >>> 8)) / 2 ** 24);
  });
}
