/**
 * The arrays of the float64 reference: row-major values and a shape, nothing else. The reference is written to be
 * plainly right rather than fast, and shares no code with the engine.
 */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function numel(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

export function array64(shape: readonly number[], data: ArrayLike<number>): Array64 {
  if (data.length !== numel(shape))
    throw new Error(`${data.length} values do not fill [${shape.join(', ')}]`);
  return { shape, data: Float64Array.from(data) };
}

export function zeros(shape: readonly number[]): Array64 {
  return { shape, data: new Float64Array(numel(shape)) };
}

export function scalar(value: number): Array64 {
  return { shape: [], data: Float64Array.of(value) };
}

/** The value at a flat index. */
export function at(a: Array64, i: number): number {
  return a.data[i] as number;
}

export function map(a: Array64, f: (value: number, index: number) => number): Array64 {
  return { shape: a.shape, data: a.data.map(f) };
}

/** Elementwise sum of arrays of one shape. */
export function plus(a: Array64, b: Array64): Array64 {
  sameShape(a, b);
  return map(a, (value, i) => value + at(b, i));
}

/** Sum of the products: the scalar whose gradient with respect to `a` is `b`. */
export function inner(a: Array64, b: Array64): number {
  sameShape(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += at(a, i) * at(b, i);
  return sum;
}

export function sameShape(a: Array64, b: Array64): void {
  if (a.shape.join() !== b.shape.join())
    throw new Error(`shapes [${a.shape.join()}] and [${b.shape.join()}] differ`);
}

export function strides(shape: readonly number[]): number[] {
  const out = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = step;
    step *= shape[i] as number;
  }
  return out;
}

/** The coordinates of a flat index. */
export function coordinates(shape: readonly number[], flat: number): number[] {
  const out = new Array<number>(shape.length);
  let rest = flat;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] as number;
    out[i] = rest % size;
    rest = (rest - (out[i] as number)) / size;
  }
  return out;
}

export function flatIndex(steps: readonly number[], where: readonly number[]): number {
  return where.reduce((sum, x, i) => sum + x * (steps[i] as number), 0);
}

/** Norm of the difference over norm of the expected; the plain norm where the expected is all zero. NaN if either has one. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i] as number;
    difference += ((actual[i] as number) - want) ** 2;
    norm += want ** 2;
  }
  return Math.sqrt(norm > 0 ? difference / norm : difference);
}
