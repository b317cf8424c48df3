/** Elementwise kernels of two operands that training alone needs: apart, so that a page that only infers has none. */
import nonfinite from '../../shaders/common/nonfinite.wgsl';
import binaryShader from '../../shaders/elementwise/binary.wgsl';
import math from '../../shaders/elementwise/math.wgsl';
import slopeOps from '../../shaders/elementwise/slopes.wgsl';
import bce from '../../shaders/loss/bce.wgsl';
import { f32, type Launch, type Operand } from '../kernel.js';
import { flopsOf } from './elementwise.js';
import type { Target } from './strided.js';
import { walkLaunch } from './walkLaunch.js';

/** In the order of the constants in `slopes.wgsl`. */
const SLOPES = [
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
 * Gradients take d(loss)/dy first: `reluGrad(gy, y)` = y > 0 ? factor * gy : 0, `sigmoidGrad(gy, y)`, `tanhGrad(gy, y)`.
 * `mulLog(g, x)` = g log(x), 0 at x = 0. `bce(p, t)`, its derivatives `bceGrad(p, t)` by p and `bceGradTarget(p, t)` by t;
 * `bceLogits(x, t)` and `bceLogitsGrad(x, t)` = sigmoid(x) - t.
 */
export type SlopeKind = (typeof SLOPES)[number];

/** y = kind(a, b); a and b broadcast to the shape of y. `factor` is for `reluGrad` alone. */
export function slopes(
  kind: SlopeKind,
  a: Operand,
  b: Operand,
  y: Operand,
  factor: number,
  target?: Target,
): Launch[] {
  return walkLaunch(
    binaryShader,
    () => [nonfinite, math, bce, slopeOps],
    { A: a, B: b, Y: y },
    { OP: SLOPES.indexOf(kind), A: f32(factor) },
    kind,
    flopsOf(kind),
    target,
    true,
  );
}
