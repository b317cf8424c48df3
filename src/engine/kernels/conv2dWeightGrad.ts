import direct from '../../shaders/conv2d/weight_grad_direct.wgsl';
import { type Launch, type Lowering, numel, type Operand, storedType } from '../kernel.js';
import { weightGradBlockVariant } from './conv2dBlock.js';
import { weightGradGemm } from './conv2dGemmRegister.js';
import {
  bind,
  type Conv2dProblem,
  type Conv2dVariant,
  chooseVariant,
  conv2dBytes,
  conv2dConstants,
  conv2dFlops,
  f32AndF16,
  offset,
  planes,
} from './conv2dProblem.js';
import { lowerWeightGradTile, supportsWeightGradTile, tileShare } from './conv2dTile.js';
import { weightGradWinograd2, weightGradWinograd4 } from './conv2dWinogradWeight.js';
import { fillOf } from './gemmDevice.js';
import { grid1d } from './grid.js';

/** `x` [n,c,h,w] and `gy` [n,k,oh,ow] in planes layout; `gw` [k, c/groups, kh, kw] contiguous. */
export interface WeightGradOperands {
  readonly x: Operand;
  readonly gy: Operand;
  readonly gw: Operand;
}

export interface WeightGradVariant extends Conv2dVariant {
  lower(p: Conv2dProblem, io: WeightGradOperands, ctx: Lowering): Launch[];
}

const weightGradDirect: WeightGradVariant = {
  name: 'direct',
  dtypes: f32AndF16,
  supports: () => true,
  // An invocation a weight: few weights leave a GPU empty while each walks all pixels.
  share: (p, facts) => (facts.software ? 0.01 : 0.03 * fillOf(facts, (p.k * p.c * p.kh * p.kw) / p.groups)),
  lower(p, io) {
    const grid = grid1d(numel(io.gw.shape), 64);
    return [
      {
        shader: direct,
        constants: {
          ...conv2dConstants(p),
          ...planes('X', io.x),
          ...planes('GY', io.gy),
          ...offset('GW', io.gw),
          X_TYPE: storedType(io.x),
          GY_TYPE: storedType(io.gy),
          ...grid.constants,
        },
        bindings: [bind(0, io.x, 'read'), bind(1, io.gy, 'read'), bind(2, io.gw, 'write')],
        workgroups: grid.workgroups,
        variant: 'direct',
        flops: conv2dFlops(p),
        bytes: conv2dBytes(p),
      },
    ];
  },
};

const weightGradTile: WeightGradVariant = {
  name: 'tile',
  dtypes: f32AndF16,
  supports: supportsWeightGradTile,
  share: (p, facts) => tileShare(p.c * p.kh * p.kw, facts) * Math.min(1, p.k / 4),
  lower: lowerWeightGradTile,
};

/** The weight gradient kernels that every plan has, from the plainest to the best. */
// A call that bundlers may drop, where they would keep a spread.
export const weightGradLadder: readonly WeightGradVariant[] = /* @__PURE__ */ [
  weightGradDirect,
  weightGradBlockVariant,
  weightGradTile,
  weightGradWinograd2,
  weightGradWinograd4,
].concat(weightGradGemm);

/** gw (f32) = the gradient by weight given that by y. For a transposed convolution give its output's gradient as x, its input as gy. */
export function conv2dWeightGrad(p: Conv2dProblem, io: WeightGradOperands, ctx: Lowering): Launch[] {
  return chooseVariant('conv2dWeightGrad', weightGradLadder, ctx.kernels?.conv2dWeightGrad, p, ctx).lower(
    p,
    io,
    ctx,
  );
}
