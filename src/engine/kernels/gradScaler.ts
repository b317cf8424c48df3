import gapsShader from '../../shaders/optim/gaps.wgsl';
import overflowShader from '../../shaders/optim/overflow.wgsl';
import scalerShader from '../../shaders/optim/scaler.wgsl';
import scalerState from '../../shaders/optim/scaler_state.wgsl';
import { f32, type Launch, type Lowering, numel, type Operand } from '../kernel.js';
import { flatLanes, lanesPiece, WORKGROUP } from './strided.js';

/** Words of a scaler's state, in the order of `scaler_state.wgsl`. */
export const SCALER_WORDS = 5;

export interface ScalerOptions {
  readonly growthFactor: number;
  readonly backoffFactor: number;
  /** In steps. */
  readonly growthInterval: number;
}

/** Gradients of many parameters in one flat f32 operand of offset 0. */
export interface FlatGradients {
  readonly operand: Operand;
  /** What of it is no gradient: first element, and the first behind; each shorter than 128. */
  readonly gaps: readonly (readonly [number, number])[];
}

function zeroGaps({ operand, gaps }: FlatGradients): Launch[] {
  if (gaps.length === 0) return [];
  return [
    {
      shader: gapsShader,
      constants: { FROM: gaps.map(([from]) => from), TO: gaps.map(([, to]) => to) },
      bindings: [{ at: 0, operand, access: 'read_write' }],
      workgroups: [gaps.length, 1, 1],
      variant: `${gaps.length} gaps`,
      flops: 0,
      bytes: gaps.reduce((sum, [from, to]) => sum + 4 * (to - from), 0),
    },
  ];
}

/**
 * Looks for overflow in `gradients` and leaves in `state` ({@link SCALER_WORDS} of f32) whether this
 * step is to be skipped, and the scale of the next.
 */
export function gradScaler(
  gradients: readonly FlatGradients[],
  state: Operand,
  { growthFactor, backoffFactor, growthInterval }: ScalerOptions,
  ctx: Lowering,
): Launch[] {
  // Enough for a device to read at its full rate; the flags of all are read by one workgroup.
  const most = ctx.facts.software ? 512 : 16384;
  const parts = gradients.map(({ operand }) => {
    const lanes = flatLanes(operand);
    const count = numel(operand.shape) / lanes;
    const workgroups = Math.ceil(Math.min(most, count) / WORKGROUP);
    return { operand, lanes, count, workgroups, invocations: workgroups * WORKGROUP };
  });
  const flags = ctx.scratch([parts.reduce((sum, { invocations }) => sum + invocations, 0)], 'u32');
  let first = 0;
  const looks = parts.map(({ operand, lanes, count, workgroups, invocations }): Launch => {
    const at = first;
    first += invocations;
    return {
      shader: overflowShader,
      pieces: [lanesPiece(lanes)],
      constants: {
        WORKGROUP,
        COUNT: count,
        GRADS_OFFSET: operand.layout.offset / lanes,
        INVOCATIONS: invocations,
        FLAGS_OFFSET: at,
      },
      bindings: [
        { at: 0, operand, access: 'read' },
        { at: 1, operand: flags, access: 'write' },
      ],
      workgroups: [workgroups, 1, 1],
      variant: `overflow x${lanes}`,
      flops: 0,
      bytes: 4 * (lanes * count + invocations),
    };
  });
  const decide: Launch = {
    shader: scalerShader,
    pieces: [scalerState],
    constants: {
      FLAGS: first,
      GROWTH_FACTOR: f32(growthFactor),
      BACKOFF_FACTOR: f32(backoffFactor),
      GROWTH_INTERVAL: growthInterval,
    },
    bindings: [
      { at: 0, operand: flags, access: 'read' },
      { at: 1, operand: state, access: 'read_write' },
    ],
    workgroups: [1, 1, 1],
    variant: 'scaler',
    flops: 0,
    bytes: 4 * (first + 2 * SCALER_WORDS),
  };
  return [...gradients.flatMap(zeroGaps), ...looks, decide];
}
