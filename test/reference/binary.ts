import { type Array64, at, coordinates, flatIndex, strides, zeros } from './array.js';
import { input, type ReferenceOp } from './op.js';

interface Binary {
  readonly f: (x: number, y: number) => number;
  /** Partial derivatives; absent for comparisons. */
  readonly d?: (x: number, y: number) => readonly [number, number];
}

export const binaryFunctions = {
  add: { f: (x, y) => x + y, d: () => [1, 1] },
  sub: { f: (x, y) => x - y, d: () => [1, -1] },
  mul: { f: (x, y) => x * y, d: (x, y) => [y, x] },
  div: { f: (x, y) => x / y, d: (x, y) => [1 / y, -x / (y * y)] },
  pow: {
    f: (x, y) => x ** y,
    d: (x, y) => [y === 0 ? 0 : y * x ** (y - 1), x === 0 && y >= 0 ? 0 : x ** y * Math.log(x)],
  },
  // Equal operands share the gradient evenly.
  maximum: { f: Math.max, d: (x, y) => (x === y ? [0.5, 0.5] : x > y ? [1, 0] : [0, 1]) },
  minimum: { f: Math.min, d: (x, y) => (x === y ? [0.5, 0.5] : x < y ? [1, 0] : [0, 1]) },
  gt: { f: (x, y) => Number(x > y) },
  ge: { f: (x, y) => Number(x >= y) },
  lt: { f: (x, y) => Number(x < y) },
  le: { f: (x, y) => Number(x <= y) },
  eq: { f: (x, y) => Number(x === y) },
  ne: { f: (x, y) => Number(x !== y) },
} satisfies Record<string, Binary>;

export type BinaryName = keyof typeof binaryFunctions;

export interface BinaryOptions {
  readonly fn: BinaryName;
}

/** The shape two shapes broadcast to. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`[${a.join()}] and [${b.join()}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Flat index in an array of shape `shape` of the element that broadcasts to `where`. */
export function broadcastIndex(shape: readonly number[], where: readonly number[]): number {
  const lead = where.length - shape.length;
  return flatIndex(
    strides(shape),
    shape.map((size, i) => (size === 1 ? 0 : (where[i + lead] as number))),
  );
}

export const binary: ReferenceOp<BinaryOptions> = {
  forward(inputs, { fn }) {
    const [x, y] = [input(inputs, 0), input(inputs, 1)];
    const out = zeros(broadcast(x.shape, y.shape));
    for (let i = 0; i < out.data.length; i++) {
      const where = coordinates(out.shape, i);
      out.data[i] = binaryFunctions[fn].f(
        at(x, broadcastIndex(x.shape, where)),
        at(y, broadcastIndex(y.shape, where)),
      );
    }
    return out;
  },
  vjp(inputs, { fn }, g): (Array64 | null)[] {
    const { d }: Binary = binaryFunctions[fn];
    if (!d) return [null, null];
    const [x, y] = [input(inputs, 0), input(inputs, 1)];
    const [gx, gy] = [zeros(x.shape), zeros(y.shape)];
    for (let i = 0; i < g.data.length; i++) {
      const where = coordinates(g.shape, i);
      const [p, q] = [broadcastIndex(x.shape, where), broadcastIndex(y.shape, where)];
      const [dx, dy] = d(at(x, p), at(y, q));
      gx.data[p] = at(gx, p) + dx * at(g, i);
      gy.data[q] = at(gy, q) + dy * at(g, i);
    }
    return [gx, gy];
  },
};
