import { fail, shapeText } from './errors.js';
import { type DType, numel } from './kernel.js';
import type { Op } from './op.js';
import { castOp } from './ops/cast.js';
import { type BinaryKind, binaryOp, type UnaryKind, unaryOp } from './ops/elementwise.js';
import { fillOp } from './ops/fill.js';
import { expandOp, permuteOp, reshapeOp, sliceOp } from './ops/movement.js';

/** What a tensor without an op stands for. */
export type Leaf =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: ArrayBufferView }
  | { readonly kind: 'parameter' };

let created = 0;

/**
 * A description of an array: shape, dtype, and the op and inputs that make it. Making one checks shapes and touches no GPU.
 * Shapes are NCHW where that applies; broadcasting is PyTorch's. Values come from a compiled program or `evaluate`.
 */
export class Tensor {
  /** Creation order, which is also the order in which a program computes. */
  readonly id: number;

  protected constructor(
    readonly shape: readonly number[],
    readonly dtype: DType,
    readonly op: Op | null,
    readonly inputs: readonly Tensor[],
    readonly attrs: unknown,
    readonly leaf: Leaf | null,
  ) {
    for (const size of shape) {
      if (!Number.isInteger(size) || size < 1) {
        fail(
          `${op?.name ?? leaf?.kind ?? 'tensor'}: sizes must be whole numbers of at least 1, not ${shapeText(shape)}.`,
        );
      }
    }
    if (shape.length > 6)
      fail(`${op?.name ?? 'tensor'}: at most 6 axes are supported, not ${shapeText(shape)}.`);
    if (numel(shape) > 0x7fffffff)
      fail(`${op?.name ?? 'tensor'}: ${shapeText(shape)} has more elements than 32-bit indices reach.`);
    this.id = created++;
  }

  /** The tensor that `op` makes of `inputs`. `shape` is the op's shape rule applied by the caller. */
  static of<A>(
    op: Op<A>,
    inputs: readonly Tensor[],
    shape: readonly number[],
    attrs: A,
    dtype: DType = 'f32',
  ): Tensor {
    return new Tensor(shape, dtype, op as Op, inputs, attrs, null);
  }

  static input(name: string, shape: readonly number[], dtype: DType = 'f32'): Tensor {
    return new Tensor(shape, dtype, null, [], null, { kind: 'input', name });
  }

  static constant(data: ArrayBufferView, shape: readonly number[], dtype: DType): Tensor {
    return new Tensor(shape, dtype, null, [], null, { kind: 'constant', data });
  }

  /** A tensor of one value. */
  static full(shape: readonly number[], value: number): Tensor {
    return Tensor.of(fillOp, [], shape, { value });
  }

  get size(): number {
    return numel(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  // Elementwise -------------------------------------------------------------------------------------------------------

  /** The same values as another float type: f16 rounds to nearest, and beyond 65,504 to infinity. */
  to(dtype: 'f32' | 'f16'): Tensor {
    if (dtype === this.dtype) return this;
    reals(`to(${dtype})`, this);
    return Tensor.of(castOp, [this], this.shape, { dtype }, dtype);
  }

  /** As f16, which the device must be able to hold (`shader-f16`); kernels compute in f32 all the same. */
  half(): Tensor {
    return this.to('f16');
  }

  float(): Tensor {
    return this.to('f32');
  }

  unary(kind: UnaryKind, a = 0, b = 0): Tensor {
    reals(kind, this);
    return Tensor.of(unaryOp, [this], this.shape, { kind, a, b }, this.dtype);
  }

  binary(kind: BinaryKind, other: Tensor | number): Tensor {
    const right = typeof other === 'number' ? Tensor.full([], other) : other;
    return pairwise(binaryOp, this, right, { kind });
  }

  add(other: Tensor | number): Tensor {
    if (typeof other === 'number') return this.#shift(other);
    return this.binary('add', other);
  }

  sub(other: Tensor | number): Tensor {
    if (typeof other === 'number') return this.#shift(-other);
    return this.binary('sub', other);
  }

  mul(other: Tensor | number): Tensor {
    if (typeof other === 'number') return this.#scale(other);
    const constant = fillValue(other);
    if (constant !== null && sameShape(broadcastShapes('mul', this.shape, other.shape), this.shape))
      return this.#scale(constant);
    return this.binary('mul', other);
  }

  div(other: Tensor | number): Tensor {
    if (typeof other === 'number') return this.#scale(1 / other);
    return this.binary('div', other);
  }

  pow(other: Tensor | number): Tensor {
    return typeof other === 'number' ? this.unary('powScalar', other) : this.binary('pow', other);
  }

  // WGSL's constants are finite: what is not comes as a tensor.
  #shift(value: number): Tensor {
    const constant = fillValue(this);
    if (constant !== null) return Tensor.full(this.shape, constant + value);
    if (!Number.isFinite(value)) return this.binary('add', value);
    return value === 0 ? this : this.unary('addScalar', value);
  }

  #scale(value: number): Tensor {
    const constant = fillValue(this);
    if (constant !== null) return Tensor.full(this.shape, constant * value);
    if (!Number.isFinite(value)) return this.binary('mul', value);
    return value === 1 ? this : this.unary('mulScalar', value);
  }

  maximum(other: Tensor | number): Tensor {
    return this.binary('maximum', other);
  }
  minimum(other: Tensor | number): Tensor {
    return this.binary('minimum', other);
  }
  /** 1 where true, 0 where false; so are the other comparisons. */
  gt(other: Tensor | number): Tensor {
    return this.binary('gt', other);
  }
  ge(other: Tensor | number): Tensor {
    return this.binary('ge', other);
  }
  lt(other: Tensor | number): Tensor {
    return this.binary('lt', other);
  }
  le(other: Tensor | number): Tensor {
    return this.binary('le', other);
  }
  eq(other: Tensor | number): Tensor {
    return this.binary('eq', other);
  }
  ne(other: Tensor | number): Tensor {
    return this.binary('ne', other);
  }
  neg(): Tensor {
    return this.unary('neg');
  }
  abs(): Tensor {
    return this.unary('abs');
  }
  sign(): Tensor {
    return this.unary('sign');
  }
  exp(): Tensor {
    return this.unary('exp');
  }
  log(): Tensor {
    return this.unary('log');
  }
  sqrt(): Tensor {
    return this.unary('sqrt');
  }
  square(): Tensor {
    return this.unary('square');
  }
  reciprocal(): Tensor {
    return this.unary('reciprocal');
  }
  sin(): Tensor {
    return this.unary('sin');
  }
  cos(): Tensor {
    return this.unary('cos');
  }
  tanh(): Tensor {
    return this.unary('tanh');
  }
  sigmoid(): Tensor {
    return this.unary('sigmoid');
  }
  relu(): Tensor {
    return this.unary('relu');
  }
  leakyRelu(negativeSlope = 0.01): Tensor {
    return this.unary('leakyRelu', negativeSlope);
  }
  softplus(): Tensor {
    return this.unary('softplus');
  }
  silu(): Tensor {
    return this.unary('silu');
  }
  floor(): Tensor {
    return this.unary('floor');
  }
  ceil(): Tensor {
    return this.unary('ceil');
  }
  /** Half to even, as PyTorch. */
  round(): Tensor {
    return this.unary('round');
  }
  clamp(min: number, max: number): Tensor {
    return this.unary('clamp', min, max);
  }

  // Movement ----------------------------------------------------------------------------------------------------------

  /** Same elements in another shape; one size may be -1. */
  reshape(...sizes: number[] | [readonly number[]]): Tensor {
    const wanted = [...((Array.isArray(sizes[0]) ? sizes[0] : sizes) as number[])];
    const at = wanted.indexOf(-1);
    if (at >= 0) {
      wanted[at] = 1;
      wanted[at] = this.size / numel(wanted);
    }
    if (numel(wanted) !== this.size || !wanted.every(Number.isInteger)) {
      fail(
        `reshape: ${shapeText(this.shape)} has ${this.size} elements and cannot become ${shapeText(wanted)}.`,
      );
    }
    return sameShape(wanted, this.shape) ? this : Tensor.of(reshapeOp, [this], wanted, {}, this.dtype);
  }

  /** Elements `start` to `end` (not included) of one axis, every `step`th; negative bounds count from the end. */
  slice(axis: number, start: number, end?: number, step = 1): Tensor {
    reals('slice', this);
    const k = axisIndex('slice', axis, this.rank);
    const size = this.shape[k] as number;
    if (!Number.isInteger(start) || (end !== undefined && !Number.isInteger(end)))
      fail(`slice: bounds must be whole numbers, not ${start}:${end ?? ''}.`);
    const from = bound(start, size);
    const to = bound(end ?? size, size);
    if (!Number.isInteger(step) || step < 1)
      fail(`slice: the step must be a whole number of at least 1, not ${step}.`);
    if (to <= from)
      fail(`slice: ${start}:${end ?? ''} of axis ${axis} of ${shapeText(this.shape)} is empty.`);
    const shape = [...this.shape];
    shape[k] = Math.ceil((to - from) / step);
    if (from === 0 && step === 1 && to === size) return this;
    return Tensor.of(sliceOp, [this], shape, { axis: k, start: from, step }, this.dtype);
  }

  permute(...axes: number[]): Tensor {
    reals('permute', this);
    const order = axes.map((axis) => axisIndex('permute', axis, this.rank));
    if (order.length !== this.rank || new Set(order).size !== this.rank) {
      fail(
        `permute: ${shapeText(axes)} does not name each of the ${this.rank} axes of ${shapeText(this.shape)} once.`,
      );
    }
    return Tensor.of(
      permuteOp,
      [this],
      order.map((axis) => this.shape[axis] as number),
      { order },
      this.dtype,
    );
  }

  transpose(a: number, b: number): Tensor {
    const order = this.shape.map((_, i) => i);
    const i = axisIndex('transpose', a, this.rank);
    const j = axisIndex('transpose', b, this.rank);
    order[i] = j;
    order[j] = i;
    return this.permute(...order);
  }

  /** Broadcast to `shape` without a copy. */
  expand(shape: readonly number[]): Tensor {
    if (sameShape(shape, this.shape)) return this;
    reals('expand', this);
    if (!sameShape(broadcastShapes('expand', this.shape, shape), shape)) {
      fail(`expand: ${shapeText(this.shape)} does not broadcast to ${shapeText(shape)}.`);
    }
    const constant = fillValue(this);
    if (constant !== null) return Tensor.full(shape, constant);
    return Tensor.of(expandOp, [this], shape, {}, this.dtype);
  }
}

/** A tensor that keeps its value from run to run: a weight, a momentum, a running mean. See `place` for where it lives. */
export class Parameter extends Tensor {
  #initial: Float32Array | null | (() => Float32Array);

  /** @param initial the first values, or what makes them when they are first asked for; null for zeros */
  constructor(
    shape: readonly number[],
    initial: Float32Array | null | (() => Float32Array),
    /** Dotted PyTorch name, set by the module that owns it. */
    public name = '',
  ) {
    super(shape, 'f32', null, [], null, { kind: 'parameter' });
    this.#initial = initial;
    if (initial !== null && typeof initial !== 'function') this.#checkLength(initial);
  }

  /** Set by `loadStateDict` and by whoever made it; the GPU's copy is newer once a program has run. */
  get initial(): Float32Array | null {
    if (typeof this.#initial === 'function') {
      const made = this.#initial();
      this.#checkLength(made);
      this.#initial = made;
    }
    return this.#initial;
  }

  set initial(values: Float32Array | null) {
    this.#initial = values;
  }

  #checkLength(values: Float32Array): void {
    if (values.length !== this.size)
      fail(`Parameter ${this.name}: ${values.length} values do not fill ${shapeText(this.shape)}.`);
  }
}

/** A constant tensor from numbers, as `torch.tensor`. */
export function tensor(data: ArrayLike<number> | number, shape?: readonly number[]): Tensor {
  const values = typeof data === 'number' ? Float32Array.of(data) : Float32Array.from(data);
  const sizes = shape ?? (typeof data === 'number' ? [] : [values.length]);
  if (numel(sizes) !== values.length)
    fail(`tensor: ${values.length} values do not fill ${shapeText(sizes)}.`);
  return Tensor.constant(values, sizes, 'f32');
}

/** The value of a tensor made by `Tensor.full`, or null. */
export function fillValue(t: Tensor): number | null {
  return t.op === (fillOp as Op) ? (t.attrs as { value: number }).value : null;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** PyTorch's broadcasting rule. */
export function broadcastShapes(what: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      fail(
        `${what}: shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast: ${x} against ${y} on axis ${i - rank}.`,
      );
    }
    out[i] = Math.max(x, y);
  }
  return out;
}

export function axisIndex(what: string, axis: number, rank: number): number {
  const k = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || k < 0 || k >= rank)
    fail(`${what}: there is no axis ${axis} in a tensor of ${rank} axes.`);
  return k;
}

function bound(at: number, size: number): number {
  return Math.min(size, Math.max(0, at < 0 ? at + size : at));
}

/** Throws where one of `tensors` is neither f32 nor f16. */
export function reals(what: string, ...tensors: readonly Tensor[]): void {
  for (const t of tensors) {
    if (t.dtype !== 'f16') floats(what, t);
  }
}

/** PyTorch's rule for two operands: a single number without axes gives way, else f32 wins. */
function promoted(a: Tensor, b: Tensor): DType {
  if (a.rank === 0 && b.rank > 0) return b.dtype;
  if (b.rank === 0 && a.rank > 0) return a.dtype;
  return a.dtype === b.dtype ? a.dtype : 'f32';
}

/** An elementwise op of two operands, which broadcast. */
export function pairwise<A extends { readonly kind: string }>(
  op: Op<A>,
  a: Tensor,
  b: Tensor,
  attrs: A,
): Tensor {
  reals(attrs.kind, a, b);
  return Tensor.of(op, [a, b], broadcastShapes(attrs.kind, a.shape, b.shape), attrs, promoted(a, b));
}

/** Throws where one of `tensors` is not f32. */
export function floats(what: string, ...tensors: readonly Tensor[]): void {
  for (const t of tensors) {
    if (t.dtype !== 'f32')
      fail(`${what}: needs f32 tensors, but ${shapeText(t.shape)} is ${t.dtype}; convert it first.`);
  }
}
