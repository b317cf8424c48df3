import random from '../../shaders/common/random.wgsl';
import scalars from '../../shaders/common/scalars.wgsl';
import strided from '../../shaders/common/strided.wgsl';
import dropoutShader from '../../shaders/dropout/dropout.wgsl';
import kept1 from '../../shaders/dropout/kept1.wgsl';
import kept4 from '../../shaders/dropout/kept4.wgsl';
import { elementBytes, type Launch, type Lowering, numel, type Operand, storedType } from '../kernel.js';
import { dropoutConstants } from './dropoutConstants.js';
import { fill } from './elementwise.js';
import { copyStrided } from './movement.js';
import { broadcastStrides, collapse, lanesOf, lanesPiece, runGrid, walkPlace, walkShape } from './strided.js';

export interface DropoutOptions {
  /** Probability of dropping an element, 0 to 1. */
  readonly p: number;
  /** Which dropout of the model this is: each draws its own numbers. */
  readonly stream: number;
}

/**
 * y = x / (1 - p) where the element is kept, else 0; x and y of one shape. The mask is a function of the run-time
 * scalars `seed` and `step`, the stream and the element's row-major number: the same call on d(loss)/dy gives d(loss)/dx.
 */
export function dropout(x: Operand, y: Operand, { p, stream }: DropoutOptions, ctx: Lowering): Launch[] {
  if (!(p >= 0 && p <= 1)) throw new Error(`dropout: the probability must lie in 0..1, not ${p}.`);
  if (p === 0) return copyStrided(x, y, ctx);
  if (p === 1) return fill(0, y, ctx);
  const elements = numel(y.shape);
  if (elements === 0) return [];
  const walk = collapse(y.shape, [broadcastStrides(x, y.shape, 'dropout'), y.layout.strides]);
  const lanes = lanesOf(walk, [x.layout.offset, y.layout.offset]);
  const count = elements / lanes;
  const grid = runGrid(count, lanes, ctx);
  return [
    {
      shader: dropoutShader,
      pieces: [lanesPiece(lanes), strided, scalars, random, lanes === 4 ? kept4 : kept1],
      constants: {
        ...grid.constants,
        SHAPE: walkShape(walk.shape, lanes),
        ...walkPlace('X', x.layout.offset, walk.strides[0] as readonly number[], lanes),
        ...walkPlace('Y', y.layout.offset, walk.strides[1] as readonly number[], lanes),
        SEED: ctx.scalar('seed'),
        STEP: ctx.scalar('step'),
        STREAM: stream,
        ...dropoutConstants(p),
        X_TYPE: storedType(x, lanes),
        Y_TYPE: storedType(y, lanes),
      },
      bindings: [
        { at: 0, operand: x, access: 'read' },
        { at: 1, operand: y, access: 'write' },
        { at: 15, operand: ctx.scalars, access: 'uniform' },
      ],
      workgroups: grid.workgroups,
      variant: `dropout ${p} x${lanes}`,
      flops: elements,
      bytes: (elementBytes(x.dtype) + elementBytes(y.dtype)) * elements,
    },
  ];
}
