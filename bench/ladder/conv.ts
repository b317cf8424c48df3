/** The convolutions of a U-Net and their gradients, each with the sizes that the net gives it. */

import { fromHalf, toHalf } from '../../src/engine/half.js';
import type { Conv2dProblem } from '../../src/engine/kernels/conv2d.js';
import { conv2dBytes, conv2dFlops } from '../../src/engine/kernels/conv2dProblem.js';
import type { Op } from '../../src/engine/op.js';
import {
  type ConvAttrs,
  conv2dInputGradOp,
  conv2dOp,
  conv2dWeightGradOp,
} from '../../src/engine/ops/conv.js';
import { Tensor } from '../../src/engine/tensor.js';
import { type NetConfig, netLayers } from '../peers/net.js';
import {
  distinct,
  type Expected,
  type Ladder,
  type LadderLayer,
  type LadderProblem,
  random,
} from './problem.js';
import { expectedForward, expectedInputGrad, expectedWeightGrad } from './reference.js';

/** One of the three computations that a convolution's kernels do; a transposed convolution is the same three, turned round. */
interface Part {
  readonly op: Op<ConvAttrs>;
  /** Shapes of the two operands read, and of the result. */
  shapes(p: Conv2dProblem): readonly [number[], number[], number[]];
  expected(p: Conv2dProblem, a: Float32Array, b: Float32Array): Expected;
}

const xShape = (p: Conv2dProblem) => [p.n, p.c, p.h, p.w];
const yShape = (p: Conv2dProblem) => [p.n, p.k, p.oh, p.ow];
const wShape = (p: Conv2dProblem) => [p.k, p.c, p.kh, p.kw];

const FORWARD: Part = {
  op: conv2dOp,
  shapes: (p) => [xShape(p), wShape(p), yShape(p)],
  expected: expectedForward,
};
const INPUT_GRAD: Part = {
  op: conv2dInputGradOp,
  shapes: (p) => [yShape(p), wShape(p), xShape(p)],
  expected: expectedInputGrad,
};
const WEIGHT_GRAD: Part = {
  op: conv2dWeightGradOp,
  shapes: (p) => [xShape(p), yShape(p), wShape(p)],
  expected: expectedWeightGrad,
};

interface Placed {
  readonly at: string;
  readonly sizes: string;
  readonly problem: Conv2dProblem;
}

/** The plain convolutions of the net, or its transposed ones, as problems. */
function convolutions(net: NetConfig, kind: 'conv' | 'transposed'): Placed[] {
  return netLayers(net)
    .filter((layer) => layer.kind === kind)
    .map(({ name, shape }) => {
      const level = Number(name.split('.')[1] ?? 0);
      const side = 2 ** (name === 'last' ? 0 : level);
      const [h, w] = [net.height / side, net.width / side];
      if (kind === 'conv') {
        const [k, c, kh, kw] = shape;
        const [ph, pw] = [kh >> 1, kw >> 1];
        const problem = { n: net.batch, c, h, w, k, oh: h, ow: w, kh, kw, ph, pw, ...STRIDE_1 };
        return { at: name, sizes: `${kh}x${kw} ${c}>${k} ${h}x${w}`, problem };
      }
      // The plain convolution whose input gradient it is: from the larger image to the smaller.
      const [k, c, kh, kw] = shape;
      const [oh, ow] = [h / 2, w / 2];
      const problem = { n: net.batch, c, h, w, k, oh, ow, kh, kw, ph: 0, pw: 0, ...STRIDE_1, sh: 2, sw: 2 };
      return { at: name, sizes: `${kh}x${kw} ${k}>${c} ${oh}x${ow}`, problem };
    });
}

const STRIDE_1 = { sh: 1, sw: 1, dh: 1, dw: 1, groups: 1 } as const;

function convLayer(part: Part, problem: Conv2dProblem, name: string, count: number): LadderLayer {
  return {
    name,
    count,
    flops: conv2dFlops(problem),
    bytes: conv2dBytes(problem),
    problem: () => convProblem(part, problem),
  };
}

/** An f16 result is off by its own rounding, which is this at most. */
const HALF = 2 ** -11;

/** Random operands, and the reference on them. */
export function convProblem(part: Part, p: Conv2dProblem): LadderProblem {
  const [aShape, bShape, outShape] = part.shapes(p);
  const size = (shape: readonly number[]) => shape.reduce((x, y) => x * y, 1);
  const dtype = p.dtype ?? 'f32';
  const half = dtype === 'f16';
  const operand = (shape: readonly number[], seed: number) => {
    const values = random(size(shape), seed);
    if (!half) return { values, constant: Tensor.constant(values, shape, dtype) };
    const bits = toHalf(values);
    return { values: fromHalf(bits), constant: Tensor.constant(bits, shape, dtype) };
  };
  const a = operand(aShape, 1);
  const b = operand(bShape, 2);
  // A weight's gradient is f32 whatever it is made of.
  const rounds = half && part !== WEIGHT_GRAD;
  return {
    build: () => {
      const inputs = [a.constant, b.constant];
      const result = Tensor.of(part.op, inputs, outShape, { problem: p }, rounds ? 'f16' : 'f32');
      return { outputs: { result } };
    },
    expected: { result: part.expected(p, a.values, b.values) },
    ...(rounds ? { limit: HALF } : {}),
  };
}

function ladder(
  name: string,
  about: string,
  part: Part,
  kind: 'conv' | 'transposed',
  wanted: (at: string) => boolean = () => true,
): Ladder {
  return {
    name,
    about,
    op: part.op.name,
    layers: (net, precision) =>
      distinct(
        convolutions(net, kind)
          .filter(({ at }) => wanted(at))
          .map(({ at, sizes, problem }) => ({
            at,
            sizes,
            make: (layer, count) =>
              convLayer(part, precision === 'mixed' ? { ...problem, dtype: 'f16' } : problem, layer, count),
          })),
      ),
  };
}

/** The net's first layer has no use for a gradient by the image. */
const needsInputGrad = (at: string): boolean => at !== 'down.0.conv1';

export const convLadders: readonly Ladder[] = [
  ladder('conv2d', 'convolution', FORWARD, 'conv'),
  ladder('conv2dInputGrad', "convolution's gradient by its input", INPUT_GRAD, 'conv', needsInputGrad),
  ladder('conv2dWeightGrad', "convolution's gradient by its weight", WEIGHT_GRAD, 'conv'),
  ladder('convTranspose2d', 'transposed convolution', INPUT_GRAD, 'transposed'),
  ladder('convTranspose2dInputGrad', 'its gradient by its input', FORWARD, 'transposed'),
  ladder('convTranspose2dWeightGrad', 'its gradient by its weight', WEIGHT_GRAD, 'transposed'),
];
