import random from '../../shaders/common/random.wgsl';
import scalars from '../../shaders/common/scalars.wgsl';
import dropoutShader from '../../shaders/dropout/dropout.wgsl';
import kept1 from '../../shaders/dropout/kept1.wgsl';
import kept4 from '../../shaders/dropout/kept4.wgsl';
import type { Launch, Lowering, Operand } from '../kernel.js';
import { dropoutConstants } from './dropoutConstants.js';
import { fill } from './elementwise.js';
import { copyStrided } from './movement.js';
import { walkLaunch } from './walkLaunch.js';

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
  return walkLaunch(
    dropoutShader,
    (lanes) => [scalars, random, lanes === 4 ? kept4 : kept1],
    { X: x, Y: y },
    { SEED: ctx.scalar('seed'), STEP: ctx.scalar('step'), STREAM: stream, ...dropoutConstants(p) },
    `dropout ${p}`,
    1,
    ctx,
  ).map((launch) => ({
    ...launch,
    bindings: [...launch.bindings, { at: 15, operand: ctx.scalars, access: 'uniform' }],
  }));
}
