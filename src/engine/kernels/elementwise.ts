import nonfinite from '../../shaders/common/nonfinite.wgsl';
import binaryShader from '../../shaders/elementwise/binary.wgsl';
import binaryOps from '../../shaders/elementwise/binary_ops.wgsl';
import fillShader from '../../shaders/elementwise/fill.wgsl';
import math from '../../shaders/elementwise/math.wgsl';
import unaryShader from '../../shaders/elementwise/unary.wgsl';
import unaryOps from '../../shaders/elementwise/unary_ops.wgsl';
import whereShader from '../../shaders/elementwise/where.wgsl';
import { f32, type Launch, type Operand, type TypedConstant } from '../kernel.js';
import type { Target } from './strided.js';
import { walkLaunch } from './walkLaunch.js';

/** In the order of the constants in `unary_ops.wgsl`. */
const UNARY_OPS = [
  'copy',
  'neg',
  'abs',
  'sign',
  'exp',
  'log',
  'sqrt',
  'square',
  'reciprocal',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'relu',
  'leakyRelu',
  'softplus',
  'silu',
  'floor',
  'ceil',
  'round',
  'clamp',
  'heaviside',
  'addScalar',
  'mulScalar',
  'powScalar',
  'isfinite',
  'rsqrt',
] as const;

/** In the order of the constants in `binary_ops.wgsl`. */
const BINARY_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'gt',
  'ge',
  'lt',
  'le',
  'eq',
  'ne',
] as const;

/**
 * `leakyRelu` has slope `a`, `clamp` bounds `a` and `b` (infinite: no bound), `addScalar`, `mulScalar` and `powScalar`
 * the number `a`; `round` rounds half to even; `heaviside` is 1 where x > 0; `isfinite` gives 1 or 0.
 */
export type UnaryOp = (typeof UNARY_OPS)[number];

/** Comparisons give 1 or 0. What training alone needs besides is in slopes.ts. */
export type BinaryOp = (typeof BINARY_OPS)[number];

export interface ElementwiseParams {
  readonly a?: number;
  readonly b?: number;
}

const EXPENSIVE = 10;

/** Flops that an op is counted as: functions as ten, the rest as one. */
export function flopsOf(op: string): number {
  return /exp|log|sin|cos|tanh|sigmoid|softplus|silu|pow|bce/i.test(op) ? EXPENSIVE : 1;
}

/** A bound that does not exist has no place in WGSL, where constants are finite. */
function finite(value: number): TypedConstant {
  return f32(Number.isFinite(value) ? value : 0);
}

/** y = op(x); x may broadcast to y. */
export function unary(
  op: UnaryOp,
  x: Operand,
  y: Operand,
  params: ElementwiseParams = {},
  target?: Target,
): Launch[] {
  const a = params.a ?? 0;
  const b = params.b ?? 0;
  if (op !== 'clamp' && !Number.isFinite(a))
    throw new Error(`${op}: the parameter a must be a finite number, not ${a}.`);
  return walkLaunch(
    unaryShader,
    () => [nonfinite, math, unaryOps],
    { X: x, Y: y },
    {
      OP: UNARY_OPS.indexOf(op),
      A: finite(a),
      B: finite(b),
      HAS_LOW: Number.isFinite(a),
      HAS_HIGH: Number.isFinite(b),
    },
    op,
    flopsOf(op),
    target,
  );
}

/** y = op(a, b); a and b broadcast to the shape of y. */
export function binary(op: BinaryOp, a: Operand, b: Operand, y: Operand, target?: Target): Launch[] {
  return walkLaunch(
    binaryShader,
    () => [nonfinite, math, binaryOps],
    { A: a, B: b, Y: y },
    { OP: BINARY_OPS.indexOf(op) },
    op,
    flopsOf(op),
    target,
    true,
  );
}

/** y = condition is not 0 ? a : b; all three broadcast to the shape of y. */
export function where(condition: Operand, a: Operand, b: Operand, y: Operand, target?: Target): Launch[] {
  return walkLaunch(whereShader, () => [], { C: condition, A: a, B: b, Y: y }, {}, 'where', 0, target);
}

/** The bits of a number as f32. */
export function f32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

/** y = value everywhere; infinite values and NaN too. A y of u32 takes the value as an integer. */
export function fill(value: number, y: Operand, target?: Target): Launch[] {
  const word = y.dtype === 'u32' ? value >>> 0 : f32Bits(value);
  return walkLaunch(fillShader, () => [], { Y: y }, { WORD: word }, `fill ${value}`, 0, target);
}
