/** The products of conv2dGemm.ts and conv2dWeightGradGemm.ts with sums in registers and factors in workgroup memory. */
import gemm from '../../shaders/conv2d/gemm.wgsl';
import gemmWide from '../../shaders/conv2d/gemm_wide.wgsl';
import outerProduct from '../../shaders/conv2d/outer_product.wgsl';
import weightGrad from '../../shaders/conv2d/weight_grad_gemm.wgsl';
import weightGradWide from '../../shaders/conv2d/weight_grad_gemm_wide.wgsl';
import type { DeviceFacts } from '../kernel.js';
import type { ForwardVariant } from './conv2dForward.js';
import { forwardGemmVariant, inputGradGemmVariant, type TileOf } from './conv2dGemm.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import { type WeightGradTile, weightGradGemmVariant } from './conv2dWeightGradGemm.js';
import { loopBytes, loopPiece, registerTileShare } from './gemmDevice.js';

/** `sums` of an invocation: 16 is gemm.wgsl, 64 gemm_wide.wgsl. */
function registerTile(m: number, p: number, k: number, sums: 16 | 64): readonly [string, TileOf] {
  const name = `gemm${sums === 64 ? '_wide' : ''}_${m}x${p}`;
  const threads = (m * p) / sums;
  return [
    name,
    (_, facts) => ({
      name,
      m,
      p,
      k,
      threads,
      bytes: 4 * k * (m + p) + loopBytes(facts),
      share: registerTileShare(facts, sums, m * p),
      shader: sums === 64 ? gemmWide : gemm,
      pieces: [outerProduct, loopPiece(facts)],
      constants: {},
      packed: { dtype: 'f32', alongR: false },
    }),
  ];
}

/** From few channels to many; all fit the least workgroup that WebGPU promises. */
const TILES = [
  /* @__PURE__ */ registerTile(32, 128, 8, 16),
  /* @__PURE__ */ registerTile(64, 64, 16, 16),
  /* @__PURE__ */ registerTile(64, 128, 8, 64),
  /* @__PURE__ */ registerTile(128, 128, 8, 64),
] as const;

export const forwardGemm: readonly ForwardVariant[] = /* @__PURE__ */ TILES.map((tile) =>
  forwardGemmVariant(...tile),
);

export const inputGradGemm: readonly InputGradVariant[] = /* @__PURE__ */ TILES.map((tile) =>
  inputGradGemmVariant(...tile),
);

/** `size`: rows and columns of a workgroup of 256. */
function weightGradTile(size: 64 | 128, facts: DeviceFacts): WeightGradTile {
  const small = size === 64;
  const lanes = small ? 8 : 4;
  return {
    name: small ? 'gemm' : 'gemm_wide',
    m: size,
    q: size,
    lanes,
    threads: 256,
    bytes: 2 * 16 * lanes * size + loopBytes(facts),
    waves: small ? 4 : 2,
    share: registerTileShare(facts, small ? 16 : 64, size * size),
    shader: small ? weightGrad : weightGradWide,
    pieces: [outerProduct, loopPiece(facts)],
    constants: {},
  };
}

function weightGradVariant(name: string, size: 64 | 128, vectors: 'never' | 'only'): WeightGradVariant {
  return weightGradGemmVariant(name, vectors, (_, facts) => weightGradTile(size, facts));
}

/** From the plainest to the best. */
export const weightGradGemm: readonly WeightGradVariant[] = [
  /* @__PURE__ */ weightGradVariant('gemm', 64, 'never'),
  /* @__PURE__ */ weightGradVariant('gemm_vec4', 64, 'only'),
  /* @__PURE__ */ weightGradVariant('gemm_wide', 128, 'never'),
  /* @__PURE__ */ weightGradVariant('gemm_wide_vec4', 128, 'only'),
];
