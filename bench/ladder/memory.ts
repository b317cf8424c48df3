/** Everything in a U-Net's training step that moves bytes rather than multiplies: its ladders, and their references. */
import { grad } from '../../src/engine/grad.js';
import { conv2dBiasGradOp } from '../../src/engine/ops/conv.js';
import { binaryCrossEntropy, diceLoss } from '../../src/engine/ops/loss.js';
import { maxPool2dGradOp, maxPool2dOp } from '../../src/engine/ops/pool.js';
import { slope } from '../../src/engine/ops/slopes.js';
import { Adam } from '../../src/engine/optim/adam.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { Parameter, Tensor } from '../../src/engine/tensor.js';
import type { Array64 } from '../../test/reference/array.js';
import * as lossReference from '../../test/reference/loss.js';
import { adamStep, sgdStep } from '../../test/reference/optim.js';
import { maxPool2d as poolReference } from '../../test/reference/pool.js';
import { type NetConfig, netLayers } from '../peers/net.js';
import { BCE_WEIGHT, DICE_WEIGHT } from '../peers/peer.js';
import {
  distinct,
  type Expected,
  type Ladder,
  type LadderLayer,
  type LadderProblem,
  random,
} from './problem.js';

const constant = (data: Float32Array, shape: readonly number[]): Tensor =>
  Tensor.constant(data, shape, 'f32');
const array = (data: ArrayLike<number>, shape: readonly number[]): Array64 => ({
  shape,
  data: Float64Array.from(data),
});

/** An output whose reference is computed whole, when it is first asked for. */
function whole(shape: readonly number[], compute: () => ArrayLike<number>): Expected {
  let values: ArrayLike<number> | undefined;
  return {
    shape,
    cost: 1,
    at(index) {
      values ??= compute();
      return values[index] as number;
    },
  };
}

/** Shapes [N, C, H, W] of what each level's pooling reads. */
function poolings(net: NetConfig): { at: string; shape: [number, number, number, number] }[] {
  return Array.from({ length: net.depth - 1 }, (_, level) => {
    const side = 2 ** level;
    return {
      at: `down.${level}`,
      shape: [net.batch, net.baseChannels * side, net.height / side, net.width / side],
    };
  });
}

function shaped(
  at: string,
  shape: readonly number[],
  make: (shape: readonly number[], count: number) => Omit<LadderLayer, 'name' | 'count'>,
) {
  const [, c, h, w] = shape;
  return {
    at,
    sizes: `${c}x${h}x${w}`,
    make: (name: string, count: number): LadderLayer => ({ name, count, ...make(shape, count) }),
  };
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const POOL = { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] } as const;
const halved = ([n, c, h, w]: readonly number[]): number[] => [
  n as number,
  c as number,
  (h as number) / 2,
  (w as number) / 2,
];

function maxPool(shape: readonly number[]): LadderProblem {
  const x = random(size(shape), 1);
  const out = halved(shape);
  return {
    build: () => ({ outputs: { result: Tensor.of(maxPool2dOp, [constant(x, shape)], out, POOL) } }),
    expected: {
      result: whole(out, () => poolReference.forward([array(x, shape)], { kernelSize: 2 }).data),
    },
  };
}

/** As it stands in the net: the gradient that comes by the skip connection is added in the same kernel. */
function maxPoolGrad(shape: readonly number[]): LadderProblem {
  const x = random(size(shape), 1);
  const out = halved(shape);
  const gy = random(size(out), 2);
  const skip = random(size(shape), 3);
  return {
    build: () => {
      const inputs = [constant(gy, out), constant(x, shape), constant(skip, shape)];
      return { outputs: { result: Tensor.of(maxPool2dGradOp, inputs, shape, POOL) } };
    },
    expected: {
      result: whole(shape, () => {
        const [gx] = poolReference.vjp([array(x, shape)], { kernelSize: 2 }, array(gy, out));
        return (gx as Array64).data.map((value, i) => value + (skip[i] as number));
      }),
    },
  };
}

/** Gradients by the bias of every convolution: sums over all but the channels. */
function biasGrad(shape: readonly number[]): LadderProblem {
  const gy = random(size(shape), 1);
  const [n, k, h, w] = shape as readonly [number, number, number, number];
  return {
    build: () => ({ outputs: { result: Tensor.of(conv2dBiasGradOp, [constant(gy, shape)], [k], {}) } }),
    expected: {
      result: {
        shape: [k],
        cost: n * h * w,
        at(channel) {
          let sum = 0;
          for (let image = 0; image < n; image++) {
            const from = (image * k + channel) * h * w;
            for (let i = 0; i < h * w; i++) sum += gy[from + i] as number;
          }
          return sum;
        },
      },
    },
  };
}

function reluGrad(shape: readonly number[]): LadderProblem {
  const gy = random(size(shape), 1);
  const y = random(size(shape), 2);
  return {
    build: () => ({
      outputs: { result: slope('reluGrad', constant(gy, shape), constant(y, shape)) },
    }),
    expected: {
      result: { shape, cost: 1, at: (i) => ((y[i] as number) > 0 ? (gy[i] as number) : 0) },
    },
  };
}

/** The net's loss, .7 cross-entropy and .3 Dice, and, when `backward`, its gradient by the probabilities. */
function loss(net: NetConfig, backward: boolean): LadderProblem {
  const shape = [net.batch, net.outChannels, net.height, net.width];
  const p = random(size(shape), 1, 0.02, 0.98);
  const t = random(size(shape), 2).map((value) => (value > 0.6 ? 1 : 0));
  const inputs = () => [array(p, shape), array(t, shape)];
  const g = (weight: number): Array64 => ({ shape: [], data: Float64Array.of(weight) });
  return {
    build: () => {
      const [probability, mask] = [constant(p, shape), constant(t, shape)];
      const value = binaryCrossEntropy(probability, mask)
        .mul(BCE_WEIGHT)
        .add(diceLoss(probability, mask).mul(DICE_WEIGHT));
      if (!backward) return { outputs: { loss: value } };
      const [gradient] = grad(value, [probability]);
      return { outputs: { loss: value, gradient } };
    },
    expected: {
      loss: whole([], () => {
        const bce = lossReference.binaryCrossEntropy.forward(inputs(), {}).data[0] as number;
        const dice = lossReference.diceLoss.forward(inputs(), {}).data[0] as number;
        return [BCE_WEIGHT * bce + DICE_WEIGHT * dice];
      }),
      ...(backward
        ? {
            gradient: whole(shape, () => {
              const [bce] = lossReference.binaryCrossEntropy.vjp(inputs(), {}, g(BCE_WEIGHT));
              const [dice] = lossReference.diceLoss.vjp(inputs(), {}, g(DICE_WEIGHT));
              return (bce as Array64).data.map((value, i) => value + ((dice as Array64).data[i] as number));
            }),
          }
        : {}),
    },
  };
}

function parameterCount(net: NetConfig): number {
  return netLayers(net).reduce((sum, { shape, outChannels }) => sum + size(shape) + outChannels, 0);
}

const LR = 0.01;

/** The second step of SGD with momentum on all parameters of the net, in place. */
function sgd(net: NetConfig): LadderProblem {
  const shape = [parameterCount(net)];
  const [p, g, m] = [1, 2, 3].map((seed) => random(size(shape), seed)) as [Array1, Array1, Array1];
  const after = lazy(() => {
    const [param, state] = [Float64Array.from(p), { buffer: Float64Array.from(m) }];
    sgdStep(param, Float64Array.from(g), state, { lr: LR, momentum: 0.9 });
    return { param, momentum: state.buffer };
  });
  return {
    build: () => {
      const param = new Parameter(shape, p.slice(), 'p');
      const optimiser = new SGD([param]);
      const momentum = optimiser.momentumBuffers[0] as Parameter;
      momentum.initial = m.slice();
      optimiser.update([constant(g, shape)]);
      return { outputs: {}, state: { param, momentum } };
    },
    scalars: { lr: LR, momentum: 0.9, sgdFirst: 0, step: 1 },
    timed: ['sgd'],
    expected: {
      param: whole(shape, () => after().param),
      momentum: whole(shape, () => after().momentum),
    },
  };
}

type Array1 = Float32Array<ArrayBuffer>;

function adam(net: NetConfig): LadderProblem {
  const shape = [parameterCount(net)];
  const [p, g] = [1, 2].map((seed) => random(size(shape), seed)) as [Array1, Array1];
  const after = lazy(() => {
    const param = Float64Array.from(p);
    const state = { step: 0, first: new Float64Array(size(shape)), second: new Float64Array(size(shape)) };
    adamStep(param, Float64Array.from(g), state, { lr: LR });
    return param;
  });
  return {
    build: () => {
      const param = new Parameter(shape, p.slice(), 'p');
      new Adam([param]).update([constant(g, shape)]);
      return { outputs: {}, state: { param } };
    },
    scalars: { lr: LR, adamStep: 1, step: 0 },
    timed: ['adam'],
    expected: { param: whole(shape, () => after()) },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Outputs of the net's 3x3 convolutions, which pass through ReLU and have a bias. */
function activations(net: NetConfig): { at: string; shape: number[] }[] {
  return netLayers(net)
    .filter(({ kind, name }) => kind === 'conv' && name !== 'last')
    .map(({ name, outChannels }) => {
      const side = 2 ** Number(name.split('.')[1]);
      return { at: name, shape: [net.batch, outChannels, net.height / side, net.width / side] };
    });
}

/** A ladder of one step: the op has one kernel for each shape, which the plan chooses. */
function single(
  name: string,
  about: string,
  op: string,
  layers: (net: NetConfig) => { at: string; shape: readonly number[] }[],
  flops: number,
  bytes: number,
  problem: (shape: readonly number[]) => LadderProblem,
): Ladder {
  const layer = (shape: readonly number[]) => ({
    flops: flops * size(shape),
    bytes: bytes * size(shape),
    problem: () => problem(shape),
  });
  return {
    name,
    about,
    op,
    layers: (net) => distinct(layers(net).map(({ at, shape }) => shaped(at, shape, layer))),
  };
}

/** One layer that is the whole net's. */
function netWide(
  name: string,
  about: string,
  op: string,
  elements: (net: NetConfig) => number,
  flops: number,
  bytes: number,
  problem: (net: NetConfig) => LadderProblem,
): Ladder {
  return {
    name,
    about,
    op,
    layers: (net) => [
      {
        name: `${elements(net)} elements`,
        count: 1,
        flops: flops * elements(net),
        bytes: bytes * elements(net),
        problem: () => problem(net),
      },
    ],
  };
}

const pixels = ({ batch, outChannels, height, width }: NetConfig): number =>
  batch * outChannels * height * width;

/** FLOPs and bytes an element are those of the plain algorithm, for each element of the larger operand. */
export const memoryLadders: readonly Ladder[] = [
  single(
    'conv2dBiasGrad',
    "convolution's gradient by its bias",
    'conv2dBiasGrad',
    activations,
    1,
    4,
    biasGrad,
  ),
  single('reluGrad', "ReLU's gradient, where it is not fused", 'reluGrad', activations, 1, 12, reluGrad),
  single('maxPool2d', 'max pooling, 2x2', 'maxPool2d', poolings, 1, 5, maxPool),
  single(
    'maxPool2dGrad',
    "max pooling's gradient plus the skip connection's",
    'maxPool2dGrad',
    poolings,
    2,
    13,
    maxPoolGrad,
  ),
  netWide('loss', 'cross-entropy and Dice of probabilities', 'loss', pixels, 29, 8, (net) =>
    loss(net, false),
  ),
  // Dice's gradient needs sums over all, so that p and t are read twice.
  netWide('lossGrad', 'the same with their gradient', 'loss', pixels, 40, 20, (net) => loss(net, true)),
  netWide('sgd', 'SGD with momentum on all parameters', 'sgd', parameterCount, 4, 20, sgd),
  netWide('adam', 'Adam on all parameters', 'adam', parameterCount, 15, 28, adam),
];
