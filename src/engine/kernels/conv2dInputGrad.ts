import direct from '../../shaders/conv2d/input_grad_direct.wgsl';
import { type Launch, type Lowering, numel, type Operand, storedType } from '../kernel.js';
import { inputGradBlock } from './conv2dBlock.js';
import { type Epilogue, epilogueParts } from './conv2dEpilogue.js';
import { inputGradGemm } from './conv2dGemmRegister.js';
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
import { lowerTile, supportsTileBackward, tileShare } from './conv2dTile.js';
import { inputGradWinograd2, inputGradWinograd4 } from './conv2dWinograd.js';
import { grid1d } from './grid.js';

/** `gy` [n,k,oh,ow] and `gx` [n,c,h,w] in planes layout; `weight` [k, c/groups, kh, kw] contiguous. */
export interface InputGradOperands {
  readonly gy: Operand;
  readonly weight: Operand;
  readonly gx: Operand;
}

export interface InputGradVariant extends Conv2dVariant {
  lower(p: Conv2dProblem, io: InputGradOperands, epilogue: Epilogue, ctx: Lowering): Launch[];
}

const inputGradDirect: InputGradVariant = {
  name: 'direct',
  dtypes: f32AndF16,
  supports: () => true,
  share: (_, { software }) => (software ? 0.01 : 0.03),
  lower(p, io, epilogue, ctx) {
    const parts = epilogueParts(epilogue, ctx);
    const grid = grid1d(numel(io.gx.shape), 64);
    return [
      {
        shader: direct,
        pieces: parts.pieces,
        constants: {
          ...conv2dConstants(p),
          ...planes('GY', io.gy),
          ...offset('WEIGHT', io.weight),
          ...planes('GX', io.gx),
          GY_TYPE: storedType(io.gy),
          WEIGHT_TYPE: storedType(io.weight),
          GX_TYPE: storedType(io.gx),
          ...grid.constants,
          ...parts.constants,
        },
        bindings: [
          bind(0, io.gy, 'read'),
          bind(1, io.weight, 'read'),
          bind(2, io.gx, 'write'),
          ...parts.bindings,
        ],
        workgroups: grid.workgroups,
        variant: `direct${parts.label}`,
        flops: conv2dFlops(p),
        bytes: conv2dBytes(p),
      },
    ];
  },
};

const inputGradTile: InputGradVariant = {
  name: 'tile',
  dtypes: f32AndF16,
  supports: supportsTileBackward,
  share: (p, facts) => tileShare(p.c * p.kh * p.kw, facts),
  lower: (p, io, epilogue, ctx) =>
    lowerTile(p, { input: io.gy, weight: io.weight, output: io.gx }, true, epilogue, ctx),
};

/** The input gradient kernels that every plan has, from the plainest to the best. */
// A call that bundlers may drop, where they would keep a spread.
export const inputGradLadder: readonly InputGradVariant[] = /* @__PURE__ */ [
  inputGradDirect,
  inputGradBlock,
  inputGradTile,
  inputGradWinograd2,
  inputGradWinograd4,
].concat(inputGradGemm);

/**
 * gx = the gradient by x given that by y. With an epilogue (bias over c) this is the transposed convolution's forward,
 * x being its output and y its input.
 */
export function conv2dInputGrad(
  p: Conv2dProblem,
  io: InputGradOperands,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  return chooseVariant('conv2dInputGrad', inputGradLadder, ctx.kernels?.conv2dInputGrad, p, ctx).lower(
    p,
    io,
    epilogue,
    ctx,
  );
}
