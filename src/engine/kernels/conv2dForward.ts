import direct from '../../shaders/conv2d/forward_direct.wgsl';
import { type Launch, type Lowering, numel, type Operand, storedType } from '../kernel.js';
import { forwardBlock } from './conv2dBlock.js';
import { type Epilogue, epilogueParts } from './conv2dEpilogue.js';
import { forwardGemm } from './conv2dGemmRegister.js';
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
import { lowerTile, supportsTile, tileShare } from './conv2dTile.js';
import { forwardWinograd2, forwardWinograd4 } from './conv2dWinograd.js';
import { grid1d } from './grid.js';

/** `x` [n,c,h,w] and `y` [n,k,oh,ow] in planes layout; `weight` [k, c/groups, kh, kw] contiguous. */
export interface ForwardOperands {
  readonly x: Operand;
  readonly weight: Operand;
  readonly y: Operand;
}

export interface ForwardVariant extends Conv2dVariant {
  lower(p: Conv2dProblem, io: ForwardOperands, epilogue: Epilogue, ctx: Lowering): Launch[];
}

const forwardDirect: ForwardVariant = {
  name: 'direct',
  dtypes: f32AndF16,
  supports: () => true,
  share: (_, { software }) => (software ? 0.01 : 0.03),
  lower(p, io, epilogue, ctx) {
    const parts = epilogueParts(epilogue, ctx);
    const grid = grid1d(numel(io.y.shape), 64);
    return [
      {
        shader: direct,
        pieces: parts.pieces,
        constants: {
          ...conv2dConstants(p),
          ...planes('X', io.x),
          ...offset('WEIGHT', io.weight),
          ...planes('Y', io.y),
          X_TYPE: storedType(io.x),
          WEIGHT_TYPE: storedType(io.weight),
          Y_TYPE: storedType(io.y),
          ...grid.constants,
          ...parts.constants,
        },
        bindings: [
          bind(0, io.x, 'read'),
          bind(1, io.weight, 'read'),
          bind(2, io.y, 'write'),
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

const forwardTile: ForwardVariant = {
  name: 'tile',
  dtypes: f32AndF16,
  supports: supportsTile,
  share: (p, facts) => tileShare(p.k, facts),
  lower: (p, io, epilogue, ctx) =>
    lowerTile(p, { input: io.x, weight: io.weight, output: io.y }, false, epilogue, ctx),
};

/** The forward kernels that every plan has, from the plainest to the best. */
// A call that bundlers may drop, where they would keep a spread.
export const forwardLadder: readonly ForwardVariant[] = /* @__PURE__ */ [
  forwardDirect,
  forwardBlock,
  forwardTile,
  forwardWinograd2,
  forwardWinograd4,
].concat(forwardGemm);

/** y = epilogue(x * weight), as PyTorch's conv2d. */
export function conv2dForward(
  p: Conv2dProblem,
  io: ForwardOperands,
  epilogue: Epilogue,
  ctx: Lowering,
): Launch[] {
  return chooseVariant('conv2d', forwardLadder, ctx.kernels?.conv2d, p, ctx).lower(p, io, epilogue, ctx);
}
