import { describe, expect, it } from 'vitest';
import { plan } from '../../src/engine/compile.js';
import { ShaderGradError } from '../../src/engine/errors.js';
import { grad } from '../../src/engine/grad.js';
import { ConvTranspose2d } from '../../src/engine/nn/layers.js';
import { cat } from '../../src/engine/ops/cat.js';
import { conv2d, convTranspose2d } from '../../src/engine/ops/conv.js';
import { dropout } from '../../src/engine/ops/dropout.js';
import { binaryCrossEntropy, diceLoss } from '../../src/engine/ops/loss.js';
import { pad } from '../../src/engine/ops/pad.js';
import { maxPool2d } from '../../src/engine/ops/pool.js';
import { amax, mean, sum } from '../../src/engine/ops/reduce.js';
import { Adam } from '../../src/engine/optim/adam.js';
import { oneCycle } from '../../src/engine/optim/oneCycle.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { Parameter, Tensor, tensor } from '../../src/engine/tensor.js';
import { assign } from '../../src/engine/trace.js';
import { facts } from './facts.js';

function of(...shape: number[]): Tensor {
  return Tensor.input('x', shape);
}

function bytes(...shape: number[]): Tensor {
  return Tensor.input('b', shape, 'u8');
}

const x = of(2, 3, 8, 8);

describe('shapes', () => {
  it('of convolutions and pooling are PyTorch’s', () => {
    expect(conv2d(x, of(4, 3, 3, 3)).shape).toEqual([2, 4, 6, 6]);
    expect(
      conv2d(x, of(4, 3, 3, 5), null, { stride: [2, 3], padding: [1, 2], dilation: [2, 1] }).shape,
    ).toEqual([2, 4, 3, 3]);
    expect(conv2d(of(1, 4, 5, 5), of(6, 2, 1, 1), of(6), { groups: 2 }).shape).toEqual([1, 6, 5, 5]);
    expect(convTranspose2d(x, of(3, 4, 2, 2), null, { stride: 2 }).shape).toEqual([2, 4, 16, 16]);
    expect(
      convTranspose2d(x, of(3, 2, 3, 3), of(6), { stride: 2, padding: 1, outputPadding: 1, groups: 3 }).shape,
    ).toEqual([2, 6, 16, 16]);
    expect(maxPool2d(of(1, 1, 7, 7), 2).shape).toEqual([1, 1, 3, 3]);
    expect(maxPool2d(of(1, 1, 7, 7), 2, { ceilMode: true }).shape).toEqual([1, 1, 4, 4]);
    // The last window would start in the right padding.
    expect(maxPool2d(of(1, 1, 5, 5), 2, { stride: 2, padding: 1, ceilMode: true }).shape).toEqual([
      1, 1, 3, 3,
    ]);
  });

  it('of movement and reductions', () => {
    expect(x.reshape(2, -1, 4).shape).toEqual([2, 48, 4]);
    expect(x.slice(-1, -3).shape).toEqual([2, 3, 8, 3]);
    expect(x.slice(2, 1, 100, 3).shape).toEqual([2, 3, 3, 8]);
    expect(pad(x, [1, 2, -1, 0]).shape).toEqual([2, 3, 7, 11]);
    expect(x.permute(3, 0, -2, 1).shape).toEqual([8, 2, 8, 3]);
    expect(sum(x, [0, -1]).shape).toEqual([3, 8]);
    expect(mean(x, [0, -1], { keepdim: true }).shape).toEqual([1, 3, 8, 1]);
    expect(amax(x).shape).toEqual([]);
    expect(sum(x, []).shape).toEqual([]);
    expect(mean(x, [], { keepdim: true }).shape).toEqual([1, 1, 1, 1]);
    expect(of(3, 1).add(of(2, 1, 5)).shape).toEqual([2, 3, 5]);
    expect(cat([of(2, 1), of(2, 4)], -1).shape).toEqual([2, 5]);
  });
});

const wrong: readonly [string, () => unknown, string][] = [
  [
    'conv2d: no image',
    () => conv2d(of(3, 8, 8), of(4, 3, 3, 3)),
    'conv2d: the input must be [N, C, H, W], but it is [3, 8, 8].',
  ],
  [
    'conv2d: no kernel',
    () => conv2d(x, of(4, 3, 3)),
    'conv2d: the weight must be [K, C/groups, kh, kw], but it is [4, 3, 3].',
  ],
  [
    'conv2d: channels',
    () => conv2d(x, of(4, 5, 3, 3)),
    'conv2d: a weight [4, 5, 3, 3] with 1 group(s) takes 5 channels, but the input [2, 3, 8, 8] has 3.',
  ],
  [
    'conv2d: kernel too large',
    () => conv2d(x, of(4, 3, 9, 3)),
    'conv2d: a 9x3 kernel (dilation 1, 1) does not fit in 8x8 with padding 0, 0.',
  ],
  [
    'conv2d: dilation too large',
    () => conv2d(x, of(4, 3, 3, 3), null, { dilation: 5, padding: 1 }),
    'conv2d: a 3x3 kernel (dilation 5, 5) does not fit in 8x8 with padding 1, 1.',
  ],
  [
    'conv2d: groups',
    () => conv2d(x, of(4, 1, 3, 3), null, { groups: 2 }),
    'conv2d: groups (2) must divide the channels (3).',
  ],
  [
    'conv2d: groups of the result',
    () => conv2d(x, of(4, 1, 3, 3), null, { groups: 3 }),
    'conv2d: groups (3) must divide the channels (4).',
  ],
  ['conv2d: bias', () => conv2d(x, of(4, 3, 3, 3), of(3)), 'conv2d: the bias must be [4], but it is [3].'],
  [
    'conv2d: stride',
    () => conv2d(x, of(4, 3, 3, 3), null, { stride: 0 }),
    'conv2d: stride must be whole numbers of at least 1, not [0, 0].',
  ],
  [
    'conv2d: padding',
    () => conv2d(x, of(4, 3, 3, 3), null, { padding: [1, -1] }),
    'conv2d: padding must be whole numbers of at least 0, not [1, -1].',
  ],
  [
    "conv2d: PyTorch's named padding",
    // From JavaScript, where no type keeps it out.
    () => conv2d(x, of(4, 3, 3, 3), null, JSON.parse('{"padding":"same"}')),
    'conv2d: padding must be whole numbers of at least 0, not [same, same].',
  ],
  [
    'conv2d: bytes',
    () => conv2d(bytes(1, 3, 8, 8), of(4, 3, 3, 3)),
    'conv2d: needs f32 tensors, but [1, 3, 8, 8] is u8; convert it first.',
  ],
  [
    'convTranspose2d: channels',
    () => convTranspose2d(x, of(4, 3, 2, 2)),
    'convTranspose2d: a weight [4, 3, 2, 2] takes 4 channels, but the input [2, 3, 8, 8] has 3.',
  ],
  [
    'convTranspose2d: output padding',
    () => convTranspose2d(x, of(3, 4, 2, 2), null, { stride: 2, outputPadding: 2 }),
    'convTranspose2d: output padding 2, 2 must be smaller than the stride or the dilation.',
  ],
  [
    'convTranspose2d: padding',
    () => convTranspose2d(of(1, 3, 1, 1), of(3, 4, 2, 2), null, { padding: 1 }),
    'convTranspose2d: the result would be 0x0; the padding 1, 1 is too large.',
  ],
  [
    'convTranspose2d: bias',
    () => convTranspose2d(x, of(3, 4, 2, 2), of(3)),
    'convTranspose2d: the bias must be [4], but it is [3].',
  ],
  [
    'maxPool2d: no image',
    () => maxPool2d(of(8, 8), 2),
    'maxPool2d: the input must be [N, C, H, W], but it is [8, 8].',
  ],
  [
    'maxPool2d: padding',
    () => maxPool2d(x, 2, { padding: 2 }),
    'maxPool2d: the padding [2, 2] must be at most half the kernel [2, 2].',
  ],
  [
    'maxPool2d: kernel',
    () => maxPool2d(x, 9),
    'maxPool2d: a 9x9 kernel does not fit in 8x8; the result would be 0x0.',
  ],
  [
    'maxPool2d: no whole number',
    () => maxPool2d(x, 1.5),
    'maxPool2d: kernel size must be whole numbers of at least 1, not [1.5, 1.5].',
  ],
  ['cat: nothing', () => cat([]), 'cat: no tensors were given.'],
  [
    'cat: sizes',
    () => cat([x, of(2, 3, 8, 7)], 1),
    'cat: [2, 3, 8, 7] does not join [2, 3, 8, 8] along axis 1: the other sizes must agree.',
  ],
  ['cat: axis', () => cat([x, x], 4), 'cat: there is no axis 4 in a tensor of 4 axes.'],
  ['cat: bytes', () => cat([of(4), bytes(4)]), 'cat: needs f32 tensors, but [4] is u8; convert it first.'],
  [
    'reshape: too many',
    () => x.reshape(5, 5),
    'reshape: [2, 3, 8, 8] has 384 elements and cannot become [5, 5].',
  ],
  [
    'reshape: no whole number',
    () => x.reshape(5, -1),
    'reshape: [2, 3, 8, 8] has 384 elements and cannot become [5, 76.8].',
  ],
  [
    'broadcast',
    () => of(2, 3).add(of(2, 4)),
    'add: shapes [2, 3] and [2, 4] do not broadcast: 3 against 4 on axis -1.',
  ],
  [
    'broadcast to another rank',
    () => of(3, 1, 2).mul(of(2, 4, 2)),
    'mul: shapes [3, 1, 2] and [2, 4, 2] do not broadcast: 3 against 2 on axis -3.',
  ],
  [
    'expand',
    () => of(2, 1).expand([3, 4]),
    'expand: shapes [2, 1] and [3, 4] do not broadcast: 2 against 3 on axis -2.',
  ],
  ['expand to fewer', () => of(2, 3).expand([3]), 'expand: [2, 3] does not broadcast to [3].'],
  ['slice: empty', () => x.slice(1, 2, 2), 'slice: 2:2 of axis 1 of [2, 3, 8, 8] is empty.'],
  ['slice: beyond', () => x.slice(1, 3), 'slice: 3: of axis 1 of [2, 3, 8, 8] is empty.'],
  ['slice: axis', () => x.slice(4, 0), 'slice: there is no axis 4 in a tensor of 4 axes.'],
  ['slice: step', () => x.slice(1, 0, 3, 0), 'slice: the step must be a whole number of at least 1, not 0.'],
  ['slice: bounds', () => x.slice(1, 0.5, 3), 'slice: bounds must be whole numbers, not 0.5:3.'],
  ['slice: bytes', () => bytes(4).slice(0, 1), 'slice: needs f32 tensors, but [4] is u8; convert it first.'],
  [
    'pad: no pairs',
    () => pad(of(2, 2), [1]),
    'pad: widths must be whole numbers, a pair for each axis from the last on, not [1].',
  ],
  [
    'pad: too many',
    () => pad(of(2), [1, 1, 1, 1]),
    'pad: widths must be whole numbers, a pair for each axis from the last on, not [1, 1, 1, 1].',
  ],
  [
    'pad: nothing left',
    () => pad(of(2, 2), [-1, -1]),
    'pad: cropping [2, 2] by [-1, -1] leaves nothing on axis 1.',
  ],
  [
    'permute: too few',
    () => x.permute(0, 1),
    'permute: [0, 1] does not name each of the 4 axes of [2, 3, 8, 8] once.',
  ],
  [
    'permute: twice',
    () => of(2, 2).permute(0, 0),
    'permute: [0, 0] does not name each of the 2 axes of [2, 2] once.',
  ],
  ['sum: axis', () => sum(x, 4), 'sum: there is no axis 4 in a tensor of 4 axes.'],
  ['sum: twice', () => sum(x, [1, -3]), 'sum: an axis is named twice in [1, -3].'],
  [
    'bytes in arithmetic',
    () => bytes(4).add(1),
    'addScalar: needs f32 tensors, but [4] is u8; convert it first.',
  ],
  ['bytes in a sum', () => sum(bytes(4)), 'sum: needs f32 tensors, but [4] is u8; convert it first.'],
  [
    'seven axes',
    () => of(1, 1, 1, 1, 1, 1).reshape(1, 1, 1, 1, 1, 1, 1),
    'reshape: at most 6 axes are supported, not [1, 1, 1, 1, 1, 1, 1].',
  ],
  ['no size', () => of(2, 0), 'input: sizes must be whole numbers of at least 1, not [2, 0].'],
  [
    'too large',
    () => of(65536, 65536),
    'tensor: [65536, 65536] has more elements than 32-bit indices reach.',
  ],
  ['tensor: values', () => tensor([1, 2, 3], [2, 2]), 'tensor: 3 values do not fill [2, 2].'],
  [
    'parameter: values',
    () => new Parameter([2, 2], new Float32Array(3), 'w'),
    'Parameter w: 3 values do not fill [2, 2].',
  ],
  [
    'dropout: probability',
    () => dropout(x, 1.5, { training: true, stream: 0 }),
    'dropout: the probability must lie in 0..1, not 1.5.',
  ],
  [
    'a loss of other shapes',
    () => binaryCrossEntropy(of(2, 1), of(2)),
    'binaryCrossEntropy: the prediction [2, 1] and the target [2] must have the same shape.',
  ],
  [
    'dice of bytes',
    () => diceLoss(of(4), bytes(4)),
    'diceLoss: needs f32 tensors, but [4] is u8; convert it first.',
  ],
  [
    'grad of no scalar',
    () => grad(x, [x]),
    'grad: the loss must be a single value, but it is [2, 3, 8, 8]; take its sum or mean.',
  ],
  [
    'grad: not reached',
    () => grad(sum(x), [x, of(5)]),
    'grad: the loss does not depend on target 1 [5] through anything differentiable.',
  ],
  [
    'grad: through steps only',
    () => grad(sum(x.gt(0)), [x]),
    'grad: the loss does not depend on target 0 [2, 3, 8, 8] through anything differentiable.',
  ],
  [
    'assign outside compile',
    () => assign(new Parameter([2], null), of(2)),
    'Parameters change only inside a compiled program: call this in the function given to compile().',
  ],
  [
    'assign: shape',
    () => assign(new Parameter([2], null), of(3)),
    'assign: the value [3] does not fit the parameter [2].',
  ],
  [
    'SGD: gradients',
    () => new SGD([new Parameter([2], null)]).update([]),
    'SGD.update: 0 gradients for 1 parameters.',
  ],
  ['Adam: gradients', () => new Adam([]).update([x]), 'Adam.update: 1 gradients for 0 parameters.'],
  [
    'SGD: gradient shape',
    () => new SGD([new Parameter([2], null)]).update([of(3)]),
    'SGD.update: gradient 0 is [3], but its parameter is [2].',
  ],
  [
    'Adam: gradient shape',
    () => new Adam([new Parameter([2], null)]).update([of(3)]),
    'Adam.update: gradient 0 is [3], but its parameter is [2].',
  ],
  [
    'SGD: Nesterov',
    () => new SGD([], { nesterov: true, dampening: 0.5 }),
    'SGD: Nesterov momentum needs momentum, and a dampening of 0.',
  ],
  [
    'one cycle: no steps',
    () => oneCycle({ maxLr: 1, totalSteps: 0 }),
    'oneCycle: total steps must be a whole number of at least 1, not 0.',
  ],
  [
    'one cycle: beyond',
    () => oneCycle({ maxLr: 1, totalSteps: 5 })(5),
    'oneCycle: step 5 is outside the 5 steps of the schedule.',
  ],
  [
    'a program in a program',
    () => plan(facts(), {}, () => plan(facts(), {}, () => ({})) as never),
    'compile: a program cannot be compiled inside the function of another.',
  ],
  [
    'ConvTranspose2d: kernel',
    () => new ConvTranspose2d(3, 4, 0),
    'ConvTranspose2d: kernel size must be whole numbers of at least 1, not [0, 0].',
  ],
];

describe('a wrong call says in one sentence what is wrong', () => {
  it.each(wrong)('%s', (_what, call, message) => {
    let error: unknown = null;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ShaderGradError);
    expect((error as Error).message).toBe(message);
  });

  it('and leaves compile() usable', () => {
    expect(() =>
      plan(facts(), {}, () => {
        throw new RangeError('mine');
      }),
    ).toThrow('mine');
    expect(plan(facts(), { x: [2] }, ({ x }) => ({ y: x.neg() })).steps).toHaveLength(1);
  });
});
