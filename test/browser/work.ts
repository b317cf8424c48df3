/** Work that runs unchanged in Node and in a page, for comparing the two. */
import {
  binaryCrossEntropy,
  compile,
  type Device,
  diceLoss,
  evaluate,
  grad,
  SGD,
  sum,
  type Tensor,
  tensor,
} from '../../src/engine/index.js';
import { UNet } from '../../src/unet/model.js';
import { build } from '../ops/build.js';
import { type AnyCase, cotangent, inputValues } from '../ops/case.js';
import { cases } from '../ops/cases.js';
import { uniform } from '../reference/generator.js';
import { referenceVjp } from '../reference/registry.js';

export const caseCount = cases.length;

export interface CaseResult {
  readonly name: string;
  /** The op's value, then its gradients for a random cotangent. */
  readonly arrays: readonly (readonly number[])[];
}

/** Values and gradients of the cases `from` to `to`, not included. */
export async function caseResults(device: Device, from: number, to: number): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases.slice(from, to)) {
    const tensors = valueAndGradients(one);
    const values = await evaluate(device, tensors);
    results.push({ name: one.name, arrays: values.map(({ data }) => [...data]) });
  }
  return results;
}

function valueAndGradients(one: AnyCase): Tensor[] {
  const values = inputValues(one);
  const inputs = values.map(({ data, shape }) => tensor(data, shape));
  const y = build(one, inputs);
  const g = cotangent(one, y.shape);
  // To ask for the gradient of what a value does not depend on, or is flat in, is an error.
  const flat = referenceVjp(one, values, g).map((gradient) => !gradient?.data.some((v) => v !== 0));
  const asked = inputs.filter((_, i) => one.inputs[i]?.gradient === true && !flat[i]);
  return asked.length === 0 ? [y] : [y, ...grad(sum(y.mul(tensor(g.data, g.shape))), asked)];
}

/** Losses of ten steps of a tiny U-Net with dropout, and what it then makes of its first image. */
export async function trainTinyUNet(device: Device): Promise<{ losses: number[]; probabilities: number[] }> {
  const net = new UNet({ inChannels: 3, outChannels: 1, depth: 3, baseChannels: 8, dropout: 0.2, seed: 7 });
  const optimizer = new SGD(net.parameters());
  const shapes = { image: [2, 3, 24, 24], mask: [2, 1, 24, 24] };
  const step = await compile(device, shapes, ({ image, mask }) => {
    const p = net.forward(image, { training: true });
    const loss = binaryCrossEntropy(p, mask).mul(0.7).add(diceLoss(p, mask).mul(0.3));
    optimizer.update(grad(loss, net.parameters()));
    return { loss };
  });
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const image = Float32Array.from(uniform(100 + i, 2 * 3 * 24 * 24, 0, 1));
    const mask = Float32Array.from(uniform(200 + i, 2 * 24 * 24, 0, 1), (v) => (v > 0.7 ? 1 : 0));
    const { loss } = await step.run({ image, mask }, { lr: 0.05, momentum: 0.9, seed: 3 });
    losses.push(loss.item());
  }
  const infer = await compile(device, { image: [1, 3, 24, 24] }, ({ image }) => ({
    p: net.forward(image, { training: false }),
  }));
  const { p } = await infer.run({ image: Float32Array.from(uniform(100, 3 * 24 * 24, 0, 1)) });
  step.destroy();
  infer.destroy();
  return { losses, probabilities: [...p.data] };
}
