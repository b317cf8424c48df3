import lanes1 from '../../shaders/common/lanes1.wgsl';
import strided from '../../shaders/common/strided.wgsl';
import copyShader from '../../shaders/movement/copy.wgsl';
import padShader from '../../shaders/movement/pad.wgsl';
import u8Shader from '../../shaders/movement/u8_to_f32.wgsl';
import { f32, type Launch, numel, type Operand, readThenWrite } from '../kernel.js';
import { f32Bits } from './elementwise.js';
import { grid1d } from './grid.js';
import { broadcastStrides, collapse, type Target, WORKGROUP, walkPlace, walkShape } from './strided.js';
import { walkLaunch } from './walkLaunch.js';

/** y = x, bit for bit, for f32, u32 and f16; x may broadcast to y. */
export function copyStrided(x: Operand, y: Operand, target?: Target): Launch[] {
  const words = (operand: Operand): Operand =>
    operand.dtype === 'f16' ? operand : { ...operand, dtype: 'u32' };
  return walkLaunch(copyShader, () => [], { X: words(x), Y: words(y) }, {}, 'copy', 0, target);
}

/**
 * y = x with `before[i]` places of `value` before it on axis i and the rest of y after it. A negative number, or a y that
 * ends early, crops. x and y have the same rank.
 */
export function pad(x: Operand, y: Operand, before: readonly number[], value: number): Launch[] {
  if (x.shape.length !== y.shape.length || before.length !== x.shape.length)
    throw new Error(`pad: [${x.shape}] to [${y.shape}] needs one number an axis, not [${before}].`);
  const elements = numel(y.shape);
  if (elements === 0) return [];
  const padded = (values: readonly number[]) => [...values, ...new Array<number>(6 - values.length).fill(0)];
  const grid = grid1d(elements, WORKGROUP);
  return [
    {
      shader: padShader,
      pieces: [strided],
      constants: {
        ...grid.constants,
        WORKGROUP,
        COUNT: elements,
        X_SHAPE: walkShape(x.shape, 1),
        Y_SHAPE: walkShape(y.shape, 1),
        BEFORE: padded(before).map((n) => n >>> 0),
        ...walkPlace('X', x.layout.offset, x.layout.strides, 1),
        ...walkPlace('Y', y.layout.offset, y.layout.strides, 1),
        WORD: y.dtype === 'u32' ? value >>> 0 : f32Bits(value),
      },
      bindings: readThenWrite([x], y),
      workgroups: grid.workgroups,
      variant: `pad by ${before}`,
      flops: 0,
      bytes: 4 * (Math.min(numel(x.shape), elements) + elements),
    },
  ];
}

/** y = scale * x, from u8 to f32; x may broadcast to y. */
export function u8ToF32(x: Operand, y: Operand, scale: number): Launch[] {
  const elements = numel(y.shape);
  if (elements === 0) return [];
  const walk = collapse(y.shape, [broadcastStrides(x, y.shape, 'u8ToF32'), y.layout.strides]);
  const grid = grid1d(elements, WORKGROUP);
  return [
    {
      shader: u8Shader,
      pieces: [lanes1, strided],
      constants: {
        ...grid.constants,
        WORKGROUP,
        COUNT: elements,
        SHAPE: walkShape(walk.shape, 1),
        ...walkPlace('X', x.layout.offset, walk.strides[0] as readonly number[], 1),
        ...walkPlace('Y', y.layout.offset, walk.strides[1] as readonly number[], 1),
        SCALE: f32(scale),
      },
      bindings: readThenWrite([x], y),
      workgroups: grid.workgroups,
      variant: 'bytes to f32',
      flops: elements,
      bytes: numel(x.shape) + 4 * elements,
    },
  ];
}
