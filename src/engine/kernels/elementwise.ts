import lanes1 from '../../shaders/common/lanes1.wgsl';
import lanes4 from '../../shaders/common/lanes4.wgsl';
import nonfinite from '../../shaders/common/nonfinite.wgsl';
import strided from '../../shaders/common/strided.wgsl';
import binaryShader from '../../shaders/elementwise/binary.wgsl';
import binaryOps from '../../shaders/elementwise/binary_ops.wgsl';
import fillShader from '../../shaders/elementwise/fill.wgsl';
import math from '../../shaders/elementwise/math.wgsl';
import unaryShader from '../../shaders/elementwise/unary.wgsl';
import unaryOps from '../../shaders/elementwise/unary_ops.wgsl';
import whereShader from '../../shaders/elementwise/where.wgsl';
import bce from '../../shaders/loss/bce.wgsl';
import {
  type Binding,
  type Constants,
  elementBytes,
  f32,
  type Launch,
  numel,
  type Operand,
  type Shader,
  storedType,
  type TypedConstant,
} from '../kernel.js';
import {
  broadcastStrides,
  collapse,
  isSplat,
  lanesOf,
  runGrid,
  type Target,
  type Walk,
  walkPlace,
  walkShape,
} from './strided.js';

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
  'leakyReluGrad',
  'sigmoidGrad',
  'tanhGrad',
  'siluGrad',
  'clampGrad',
  'mulLog',
  'axpby',
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
 * given, `leakyReluGrad(gy, x)` with slope a, `sigmoidGrad(gy, y)`, `tanhGrad(gy, y)`, `siluGrad(gy, x)`,
 * `clampGrad(gy, x)` with bounds a and b. `mulLog(g, x)` = g log(x), 0 at x = 0. `axpby(x, y)` = a x + b y.
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

interface Part {
  readonly name: string;
  readonly operand: Operand;
}

interface Walked {
  readonly walk: Walk;
  readonly lanes: 1 | 4;
  readonly splat: readonly boolean[];
}

/** The walk of inputs broadcast to the last part, the output. */
function walkParts(parts: readonly Part[], what: string, allowSplat: boolean): Walked {
  const output = (parts[parts.length - 1] as Part).operand;
  const walk = collapse(
    output.shape,
    parts.map(({ operand }) => broadcastStrides(operand, output.shape, what)),
  );
  const splat = parts.map((_, k) => allowSplat && k < parts.length - 1 && isSplat(walk, k));
  const offsets = parts.map(({ operand }) => operand.layout.offset);
  const lanes = lanesOf(walk, offsets, splat);
  return { walk, lanes, splat: lanes === 4 ? splat : splat.map(() => false) };
}

/** A launch of one invocation for each V of the last part, which is written; the parts are bound in their order. */
function launch(
  shader: Shader,
  pieces: readonly Shader[],
  parts: readonly Part[],
  { walk, lanes, splat }: Walked,
  constants: Constants,
  variant: string,
  flopsEach: number,
  target: Target | undefined,
): Launch[] {
  const output = (parts[parts.length - 1] as Part).operand;
  const elements = numel(output.shape);
  if (elements === 0) return [];
  const count = elements / lanes;
  const grid = runGrid(count, lanes, target);
  const places = parts.map(({ name, operand }, k) =>
    walkPlace(name, operand.layout.offset, walk.strides[k] as readonly number[], splat[k] ? 1 : lanes),
  );
  const types = parts.map(({ name, operand }, k) => ({
    [`${name}_TYPE`]: storedType(operand, splat[k] ? 1 : lanes),
    [`${name}_VALUE`]: storedType({ dtype: 'f32' }, splat[k] ? 1 : lanes),
  }));
  const bindings: Binding[] = parts.map(({ operand }, at) => ({
    at,
    operand,
    access: at === parts.length - 1 ? 'write' : 'read',
  }));
  return [
    {
      shader,
      pieces: [lanes === 4 ? lanes4 : lanes1, strided, ...pieces],
      constants: Object.assign(
        { SHAPE: walkShape(walk.shape, lanes) },
        grid.constants,
        ...places,
        ...types,
        constants,
      ),
      bindings,
      workgroups: grid.workgroups,
      variant: `${variant} x${lanes}${walk.shape.length > 1 ? ` over ${walk.shape.length} axes` : ''}`,
      flops: elements * flopsEach,
      bytes: parts.reduce((sum, { operand }) => sum + elementBytes(operand.dtype) * numel(operand.shape), 0),
    },
  ];
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
  const parts = [
    { name: 'X', operand: x },
    { name: 'Y', operand: y },
  ];
  return launch(
    unaryShader,
    [nonfinite, math, unaryOps],
    parts,
    walkParts(parts, op, false),
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
  const parts = [
    { name: 'A', operand: a },
    { name: 'B', operand: b },
    { name: 'Y', operand: y },
  ];
  const bounds = op === 'clampGrad';
  const pa = params.a ?? 1;
  const pb = params.b ?? 1;
  if (!bounds) {
    checkFinite(op, 'a', pa);
    checkFinite(op, 'b', pb);
  }
  const largest = 3.4028234663852886e38;
  const bounded = (v: number) => f32(bounds ? Math.min(Math.max(v, -largest), largest) : v);
  return launch(
    binaryShader,
    [nonfinite, math, bce, binaryOps],
    parts,
    walkParts(parts, op, true),
    { OP: BINARY_OPS.indexOf(op), A: bounded(pa), B: bounded(pb) },
    op,
    flopsOf(op),
    target,
  );
}

/** y = condition is not 0 ? a : b; all three broadcast to the shape of y. */
export function where(condition: Operand, a: Operand, b: Operand, y: Operand, target?: Target): Launch[] {
  const parts = [
    { name: 'C', operand: condition },
    { name: 'A', operand: a },
    { name: 'B', operand: b },
    { name: 'Y', operand: y },
  ];
  return launch(whereShader, [], parts, walkParts(parts, 'where', false), {}, 'where', 0, target);
}

/** The bits of a number as f32. */
export function f32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

/** y = value everywhere; infinite values and NaN too. A y of u32 takes the value as an integer. */
export function fill(value: number, y: Operand, target?: Target): Launch[] {
  const parts = [{ name: 'Y', operand: y }];
  const word = y.dtype === 'u32' ? value >>> 0 : f32Bits(value);
  return launch(
    fillShader,
    [],
    parts,
    walkParts(parts, 'fill', false),
    { WORD: word },
    `fill ${value}`,
    0,
    target,
  );
}
