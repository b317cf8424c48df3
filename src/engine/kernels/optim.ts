import scalars from '../../shaders/common/scalars.wgsl';
import adamShader from '../../shaders/optim/adam.wgsl';
import plain from '../../shaders/optim/plain.wgsl';
import scaled from '../../shaders/optim/scaled.wgsl';
import scalerState from '../../shaders/optim/scaler_state.wgsl';
import sgdShader from '../../shaders/optim/sgd.wgsl';
import sgdPlainShader from '../../shaders/optim/sgd_plain.wgsl';
import {
  type Constants,
  f32,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  prefixed,
  type Shader,
} from '../kernel.js';
import { isContiguous } from '../layout.js';
import { flatLanes, lanesPiece, runGrid } from './strided.js';

interface Part {
  readonly name: string;
  readonly operand: Operand;
}

/**
 * One launch over flat operands of one length; all but the gradients are updated in place. With a `scaler` (the state
 * of a loss scaler) the gradients are taken back to scale, and a step that overflowed changes nothing.
 */
function update(
  shader: Shader,
  parts: readonly Part[],
  constants: Constants,
  flops: number,
  ctx: Lowering,
  scaler: Operand | undefined,
): Launch[] {
  const first = (parts[0] as Part).operand;
  const count = numel(first.shape);
  for (const { name, operand } of parts) {
    if (numel(operand.shape) !== count || !isContiguous(operand)) {
      throw new Error(
        `${shader.name}: ${name.toLowerCase()} must be ${count} elements without gaps, not [${operand.shape}].`,
      );
    }
  }
  if (count === 0) return [];
  const lanes = flatLanes(...parts.map(({ operand }) => operand));
  const grid = runGrid(count / lanes, lanes, ctx);
  const offsets = parts.map(({ name, operand }) => prefixed(name, { OFFSET: operand.layout.offset / lanes }));
  return [
    {
      shader,
      pieces: [lanesPiece(lanes), scalars, ...(scaler ? [scalerState, scaled] : [plain])],
      constants: Object.assign(
        scaler ? { RUN_STEP: ctx.scalar('step') } : { FIRST: ctx.scalar('sgdFirst') },
        grid.constants,
        ...offsets,
        constants,
      ),
      bindings: [
        ...parts.map(({ name, operand }, at) => ({
          at,
          operand,
          access: name === 'GRADS' ? ('read' as const) : ('read_write' as const),
        })),
        ...(scaler ? [{ at: 14, operand: scaler, access: 'read' as const }] : []),
        { at: 15, operand: ctx.scalars, access: 'uniform' },
      ],
      workgroups: grid.workgroups,
      variant: `x${lanes}${scaler ? ', scaled' : ''}`,
      flops: flops * count,
      bytes: 4 * count * (2 * parts.length - 1),
    },
  ];
}

export interface SgdOptions {
  readonly dampening: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
  /** True where the momentum is 0 and always will be: there is then no buffer for it. */
  readonly momentumZero: boolean;
}

/**
 * One step of SGD in place, as torch.optim.SGD, over flat operands of one length. Run-time scalars: `lr`, `momentum`,
 * and `sgdFirst` (u32), which is 1 on the first step, when the momentum buffer takes the gradient as it is; with a scaler
 * (the state of a loss scaler) `step` in its place, so that the first step that is not skipped is the first.
 */
export function sgd(
  state: {
    readonly params: Operand;
    readonly grads: Operand;
    readonly momentum?: Operand | undefined;
    readonly scaler?: Operand | undefined;
  },
  { dampening, weightDecay, nesterov, momentumZero }: SgdOptions,
  ctx: Lowering,
): Launch[] {
  const parts = [
    { name: 'PARAMS', operand: state.params },
    { name: 'GRADS', operand: state.grads },
  ];
  const decay = { WEIGHT_DECAY: f32(weightDecay), LR: ctx.scalar('lr') };
  if (momentumZero) return update(sgdPlainShader, parts, decay, 4, ctx, state.scaler);
  if (!state.momentum) throw new Error('sgd: with momentum, a buffer for it is needed.');
  const constants = {
    ...decay,
    DAMPENING: f32(dampening),
    NESTEROV: nesterov,
    MU: ctx.scalar('momentum'),
  };
  const all = [...parts, { name: 'MOMENTUM', operand: state.momentum }];
  return update(sgdShader, all, constants, 7, ctx, state.scaler);
}

export interface AdamOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** True: AdamW, which shrinks the parameters themselves rather than adding to the gradient. */
  readonly decoupled: boolean;
}

/**
 * One step of Adam in place, as torch.optim.Adam (or AdamW), over flat operands of one length; `mean` and `square` begin
 * as zeros. Run-time scalars: `lr`, and `adamStep` (u32), which counts steps from 1.
 */
export function adam(
  state: {
    readonly params: Operand;
    readonly grads: Operand;
    readonly mean: Operand;
    readonly square: Operand;
    readonly scaler?: Operand | undefined;
  },
  { betas: [beta1, beta2], eps, weightDecay, decoupled }: AdamOptions,
  ctx: Lowering,
): Launch[] {
  // A beta of 0 has no logarithm; e^-1000 is 0 as well.
  const log = (beta: number) => f32(Math.max(-1000, Math.log(beta)));
  return update(
    adamShader,
    [
      { name: 'PARAMS', operand: state.params },
      { name: 'GRADS', operand: state.grads },
      { name: 'MEAN', operand: state.mean },
      { name: 'SQUARE', operand: state.square },
    ],
    {
      BETA1: f32(beta1),
      BETA2: f32(beta2),
      REST1: f32(1 - beta1),
      REST2: f32(1 - beta2),
      LOG_BETA1: log(beta1),
      LOG_BETA2: log(beta2),
      EPS: f32(eps),
      WEIGHT_DECAY: f32(weightDecay),
      DECOUPLED: decoupled,
      LR: ctx.scalar('lr'),
      STEP: ctx.scalar('adamStep'),
    },
    15,
    ctx,
    state.scaler,
  );
}
