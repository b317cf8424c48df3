import nonfinite from '../../shaders/common/nonfinite.wgsl';
import binaryShader from '../../shaders/elementwise/binary.wgsl';
import binaryOps from '../../shaders/elementwise/binary_ops.wgsl';
import fillShader from '../../shaders/elementwise/fill.wgsl';
import math from '../../shaders/elementwise/math.wgsl';
import unaryShader from '../../shaders/elementwise/unary.wgsl';
import unaryOps from '../../shaders/elementwise/unary_ops.wgsl';
import whereShader from '../../shaders/elementwise/where.wgsl';
import bce from '../../shaders/loss/bce.wgsl';
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
  'reluGrad',
  'sigmoidGrad',
  'tanhGrad',
  'mulLog',
  'bce',
  'bceGrad',
  'bceGradTarget',
  'bceLogits',
  'bceLogitsGrad',
] as const;

/**
 * `leakyRelu` has slope `a`, `clamp` bounds `a` and `b` (infinite: no bound), `addScalar`, `mulScalar` and `powScalar`
 * the number `a`; `round` rounds half to even; `heaviside` is 1 where x > 0; `isfinite` gives 1 or 0.
 */
export type UnaryOp = (typeof UNARY_OPS)[number];

/**
 * Comparisons give 1 or 0. Gradients take d(loss)/dy first: `reluGrad(gy, y)` = y > 0 ? a gy : 0 with a = 1 unless
 * given, `sigmoidGrad(gy, y)`, `tanhGrad(gy, y)`. `mulLog(g, x)` = g log(x), 0 at x = 0.
 * `bce(p, t)`, its derivatives `bceGrad(p, t)` by p and `bceGradTarget(p, t)` by t; `bceLogits(x, t)` and
 * `bceLogitsGrad(x, t)` = sigmoid(x) - t.
 */
export type BinaryOp = (typeof BINARY_OPS)[number];

export interface ElementwiseParams {
  readonly a?: number;
  readonly b?: number;
}

const EXPENSIVE = 10;

/** Flops that an op is counted as: functions as ten, the rest as one. */
function flopsOf(op: string): number {
  return /exp|log|sin|cos|tanh|sigmoid|softplus|silu|pow|bce/i.test(op) ? EXPENSIVE : 1;
}

/** A bound that does not exist has no place in WGSL, where constants are finite. */
function finite(value: number): TypedConstant {
  return f32(Number.isFinite(value) ? value : 0);
}

function checkFinite(op: string, name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new Error(`${op}: the parameter ${name} must be a finite number, not ${value}.`);
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
  if (op !== 'clamp') checkFinite(op, 'a', a);
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
export function binary(
  op: BinaryOp,
  a: Operand,
  b: Operand,
  y: Operand,
  params: ElementwiseParams = {},
  target?: Target,
): Launch[] {
  const value = params.a ?? 1;
  checkFinite(op, 'a', value);
  return walkLaunch(
    binaryShader,
    () => [nonfinite, math, bce, binaryOps],
    { A: a, B: b, Y: y },
    { OP: BINARY_OPS.indexOf(op), A: f32(value) },
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
