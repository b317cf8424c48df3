import nonfinite from '../../shaders/common/nonfinite.wgsl';
import maxShader from '../../shaders/pool/max.wgsl';
import maxGradShader from '../../shaders/pool/max_grad.wgsl';
import max2x2Shader from '../../shaders/pool/max2x2.wgsl';
import max2x2GradShader from '../../shaders/pool/max2x2_grad.wgsl';
import type { Binding, Constants, Launch, Operand } from '../kernel.js';
import { elementBytes, f32, numel, prefixed, readThenWrite, storedType } from '../kernel.js';
import { isPlanes } from '../layout.js';
import { grid1d } from './grid.js';
import { runGrid, type Target, WORKGROUP } from './strided.js';

/** Pooling windows, each pair [vertical, horizontal]. Rounding of the output's size is settled by the output operand. */
export interface Pool2d {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Of the gradient alone: the factor of the gradient of the ReLU whose result was pooled, where it is done as well. */
  readonly slope?: number;
}

type Shape4 = readonly [number, number, number, number];

function shape4(x: Operand, what: string): Shape4 {
  if (x.shape.length !== 4) throw new Error(`maxPool2d: ${what} must be [N, C, H, W], not [${x.shape}].`);
  if (!isPlanes(x))
    throw new Error(`maxPool2d: ${what} must have contiguous planes; its strides are [${x.layout.strides}].`);
  return x.shape as unknown as Shape4;
}

/** Distance between items; with one item it does not matter, and may then be anything. */
function batchStride(x: Operand): number {
  return x.shape[0] === 1 ? 0 : (x.layout.strides[0] as number);
}

/** Constants `NAME_OFFSET` and `NAME_BATCH`, in units of `lanes` elements. */
function planes(name: string, x: Operand, lanes = 1): Constants {
  return prefixed(name, { OFFSET: x.layout.offset / lanes, BATCH: batchStride(x) / lanes });
}

function aligned(x: Operand, lanes: number): boolean {
  return x.layout.offset % lanes === 0 && batchStride(x) % lanes === 0;
}

function windowConstants(p: Pool2d): Constants {
  return {
    KH: p.kernel[0],
    KW: p.kernel[1],
    STRIDE_Y: p.stride[0],
    STRIDE_X: p.stride[1],
    PAD_Y: p.padding[0],
    PAD_X: p.padding[1],
    DILATION_Y: p.dilation[0],
    DILATION_X: p.dilation[1],
  };
}

/** Windows of 2x2 side by side. */
function isPlain2x2(p: Pool2d): boolean {
  const all = (pair: readonly [number, number], n: number) => pair[0] === n && pair[1] === n;
  return all(p.kernel, 2) && all(p.stride, 2) && all(p.padding, 0) && all(p.dilation, 1);
}

/** y = max pooling of x [N, C, H, W], both with contiguous planes. */
export function maxPool2d(x: Operand, y: Operand, p: Pool2d, target?: Target): Launch[] {
  const [, c, h, w] = shape4(x, 'the input');
  const [, , oh, ow] = shape4(y, 'the output');
  const outputs = numel(y.shape);
  if (outputs === 0) return [];
  const bindings: Binding[] = readThenWrite([x], y);
  const cost = {
    flops: outputs * p.kernel[0] * p.kernel[1],
    bytes: elementBytes(x.dtype) * (numel(x.shape) + outputs),
  };
  if (isPlain2x2(p) && w % 4 === 0 && 2 * ow === w && 2 * oh <= h && aligned(x, 4) && aligned(y, 2)) {
    const grid = runGrid(outputs / 2, 4, target);
    return [
      {
        shader: max2x2Shader,
        constants: {
          ...grid.constants,
          C: c,
          H: h,
          W4: w / 4,
          OH: oh,
          ...planes('X', x, 4),
          ...planes('Y', y, 2),
          X_TYPE: storedType(x, 4),
          Y_TYPE: storedType(y, 2),
        },
        bindings,
        workgroups: grid.workgroups,
        variant: '2x2, two outputs',
        ...cost,
      },
    ];
  }
  const grid = grid1d(outputs, WORKGROUP);
  return [
    {
      shader: maxShader,
      pieces: [nonfinite],
      constants: {
        ...grid.constants,
        WORKGROUP,
        C: c,
        H: h,
        W: w,
        OH: oh,
        OW: ow,
        COUNT: outputs,
        ...windowConstants(p),
        ...planes('X', x),
        ...planes('Y', y),
        X_TYPE: storedType(x),
        Y_TYPE: storedType(y),
      },
      bindings,
      workgroups: grid.workgroups,
      variant: `${p.kernel[0]}x${p.kernel[1]}`,
      ...cost,
    },
  ];
}

/**
 * gx = gradient of {@link maxPool2d} by its input x, from gy = d(loss)/dy; plus `add`, of the shape of x, where given.
 * The first of equal maxima takes the gradient. With `p.slope` that is then times it where x > 0, and 0 elsewhere. All operands
 * have contiguous planes.
 */
export function maxPool2dGrad(
  gy: Operand,
  x: Operand,
  gx: Operand,
  p: Pool2d,
  add?: Operand,
  target?: Target,
): Launch[] {
  const [, c, h, w] = shape4(x, 'the input');
  const [, , oh, ow] = shape4(gy, "the output's gradient");
  shape4(gx, "the input's gradient");
  const addend = add ?? x;
  shape4(addend, 'the other gradient');
  const inputs = numel(x.shape);
  if (inputs === 0) return [];
  const bindings: Binding[] = [
    { at: 0, operand: gy, access: 'read' },
    { at: 1, operand: x, access: 'read' },
    { at: 2, operand: gx, access: 'write' },
    { at: 3, operand: addend, access: 'read' },
  ];
  const cost = {
    flops: numel(gy.shape) * p.kernel[0] * p.kernel[1] + (add ? inputs : 0),
    bytes: elementBytes(x.dtype) * (numel(gy.shape) + inputs * (add ? 3 : 2)),
  };
  const added = `${add ? ' + add' : ''}${p.slope === undefined ? '' : ' + reluGrad'}`;
  const vectors = aligned(x, 4) && aligned(gx, 4) && aligned(gy, 2) && aligned(addend, 4);
  if (isPlain2x2(p) && w % 4 === 0 && 2 * ow === w && 2 * oh === h && vectors) {
    const grid = runGrid(inputs / 8, 4, target);
    return [
      {
        shader: max2x2GradShader,
        constants: {
          ...grid.constants,
          C: c,
          H: h,
          W4: w / 4,
          ADD: add !== undefined,
          SLOPE: f32(p.slope ?? 0),
          ...planes('GY', gy, 2),
          ...planes('X', x, 4),
          ...planes('GX', gx, 4),
          ...planes('ADD', addend, 4),
          GY_TYPE: storedType(gy, 2),
          X_TYPE: storedType(x, 4),
          GX_TYPE: storedType(gx, 4),
          ADD_TYPE: storedType(addend, 4),
        },
        bindings,
        workgroups: grid.workgroups,
        variant: `2x2, two windows${added}`,
        ...cost,
      },
    ];
  }
  const grid = grid1d(inputs, WORKGROUP);
  return [
    {
      shader: maxGradShader,
      pieces: [nonfinite],
      constants: {
        ...grid.constants,
        WORKGROUP,
        C: c,
        H: h,
        W: w,
        OH: oh,
        OW: ow,
        COUNT: inputs,
        ...windowConstants(p),
        ADD: add !== undefined,
        SLOPE: f32(p.slope ?? 0),
        ...planes('GY', gy),
        ...planes('X', x),
        ...planes('GX', gx),
        ...planes('ADD', addend),
        GY_TYPE: storedType(gy),
        X_TYPE: storedType(x),
        GX_TYPE: storedType(gx),
        ADD_TYPE: storedType(addend),
      },
      bindings,
      workgroups: grid.workgroups,
      variant: `${p.kernel[0]}x${p.kernel[1]}${added}`,
      ...cost,
    },
  ];
}
