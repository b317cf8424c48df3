import {
  amax,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cat,
  conv2d,
  convTranspose2d,
  diceLoss,
  maxPool2d,
  mean,
  pad,
  sum,
  type Tensor,
} from '../../src/engine/index.js';
import type { Call, OpName, OpOptions } from '../reference/registry.js';

type Build<Options> = (inputs: readonly Tensor[], options: Options) => Tensor;

function input(inputs: readonly Tensor[], i: number): Tensor {
  const t = inputs[i];
  if (t === undefined) throw new Error(`input ${i} is missing`);
  return t;
}

/** The engine's own graph for each op of the reference. */
const builders: { readonly [Name in OpName]: Build<OpOptions[Name]> } = {
  unary(inputs, { fn, a = 0, b = 0 }) {
    const x = input(inputs, 0);
    if (fn === 'leakyRelu') return x.leakyRelu(a);
    if (fn === 'clamp') return x.clamp(a, b);
    if (fn === 'powScalar') return x.pow(a);
    if (fn === 'addScalar') return x.add(a);
    if (fn === 'mulScalar') return x.mul(a);
    return x[fn]();
  },
  binary: (inputs, { fn }) => input(inputs, 0)[fn](input(inputs, 1)),
  conv2d: (inputs, options) => conv2d(input(inputs, 0), input(inputs, 1), inputs[2], options),
  convTranspose2d: (inputs, options) =>
    convTranspose2d(input(inputs, 0), input(inputs, 1), inputs[2], options),
  maxPool2d: (inputs, { kernelSize, ...options }) => maxPool2d(input(inputs, 0), kernelSize, options),
  sum: (inputs, { axes, keepdim = false }) => sum(input(inputs, 0), axes, { keepdim }),
  mean: (inputs, { axes, keepdim = false }) => mean(input(inputs, 0), axes, { keepdim }),
  amax: (inputs, { axes, keepdim = false }) => amax(input(inputs, 0), axes, { keepdim }),
  reshape: (inputs, { shape }) => input(inputs, 0).reshape(shape),
  slice: (inputs, { axis, start, end, step }) => input(inputs, 0).slice(axis, start, end, step),
  pad: (inputs, { widths, value }) => pad(input(inputs, 0), widths, value),
  permute: (inputs, { axes }) => input(inputs, 0).permute(...axes),
  expand: (inputs, { shape }) => input(inputs, 0).expand(shape),
  cat: (inputs, { axis }) => cat(inputs, axis),
  binaryCrossEntropy: (inputs, options) => binaryCrossEntropy(input(inputs, 0), input(inputs, 1), options),
  binaryCrossEntropyWithLogits: (inputs, options) =>
    binaryCrossEntropyWithLogits(input(inputs, 0), input(inputs, 1), options),
  diceLoss: (inputs, options) => diceLoss(input(inputs, 0), input(inputs, 1), options),
  // Made of other ops: a longer chain through reductions and broadcasts.
  batchNorm(inputs, { training, eps = 1e-5 }) {
    const x = input(inputs, 0);
    const perChannel = (t: Tensor) => t.reshape(1, -1, ...x.shape.slice(2).map(() => 1));
    const others = x.shape.map((_, i) => i).filter((i) => i !== 1);
    const centre = training ? mean(x, others, { keepdim: true }) : perChannel(input(inputs, 3));
    const centred = x.sub(centre);
    const variance = training
      ? mean(centred.square(), others, { keepdim: true })
      : perChannel(input(inputs, 4));
    return centred
      .div(variance.add(eps).sqrt())
      .mul(perChannel(input(inputs, 1)))
      .add(perChannel(input(inputs, 2)));
  },
};

/** The tensor that the engine makes of `inputs` by a call. */
export function build<Name extends OpName>(call: Call<Name>, inputs: readonly Tensor[]): Tensor {
  return builders[call.op](inputs, call.options);
}
