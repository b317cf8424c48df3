import { describe, expect, it } from 'vitest';
import {
  binaryCrossEntropy,
  compile,
  diceLoss,
  grad,
  oneCycle,
  SGD,
  type StateDict,
} from '../../src/engine/index.js';
import { UNet } from '../../src/unet/model.js';
import {
  goldenBatch,
  goldenParameters,
  type NetConfig,
  parameterShapes,
  training,
  trainingBatch,
} from '../golden/unet.js';
import { type Array64, relativeError } from '../reference/array.js';
import { testDevice } from '../support/device.js';

/** The model of a golden run, with its weights. */
function model({ channels, outputs, depth, base }: NetConfig, weights: ReadonlyMap<string, Array64>): UNet {
  const unet = new UNet({
    inChannels: channels,
    outChannels: outputs,
    depth,
    baseChannels: base,
    dropout: 0,
    seed: 1,
  });
  const state: StateDict = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );
  unet.loadStateDict(state);
  return unet;
}

describe('the U-Net against PyTorch', () => {
  it("has PyTorch's parameters, by name, shape and order", () => {
    for (const config of [training.small, training.full]) {
      const { channels, outputs, depth, base } = config;
      const unet = new UNet({ inChannels: channels, outChannels: outputs, depth, baseChannels: base });
      const ours = unet.namedParameters().map(([name, { shape }]) => [name, shape]);
      expect(ours).toEqual([...parameterShapes(config)]);
    }
  });

  it('trains 30 steps to the same losses and weights', { timeout: 600_000 }, async () => {
    const device = await testDevice();
    const { small, run, float64 } = training;
    const unet = model(small, goldenParameters(small, run.weightSeed, run.gain));
    const sgd = new SGD(unet.parameters());
    const rates = oneCycle({ maxLr: 0.1, totalSteps: run.steps });
    const { batch, size } = run;
    const step = await compile(
      device,
      { image: [batch, small.channels, size, size], mask: [batch, 1, size, size] },
      ({ image, mask }) => {
        const p = unet.forward(image, { training: true });
        const bce = binaryCrossEntropy(p, mask);
        const dice = diceLoss(p, mask);
        const loss = bce.mul(0.7).add(dice.mul(0.3));
        sgd.update(grad(loss, unet.parameters()));
        return { loss, bce, dice };
      },
    );
    for (const [t, expected] of float64.steps.entries()) {
      const { image, mask } = trainingBatch(t);
      const got = await step.run(
        { image: Float32Array.from(image.data), mask: Float32Array.from(mask.data) },
        rates(t),
      );
      for (const name of ['loss', 'bce', 'dice'] as const) {
        expect(Math.abs(got[name].item() / expected[name] - 1), `${name} of step ${t}`).toBeLessThan(1e-4);
      }
    }
    const state = await unet.stateDict();
    for (const { name, sum, norm } of float64.weights) {
      const data = state.get(name)?.data ?? new Float32Array();
      expect(Math.abs(Math.hypot(...data) / norm - 1), name).toBeLessThan(1e-4);
      expect(Math.abs(data.reduce((a, b) => a + b, 0) - sum), name).toBeLessThan(1e-4 * norm);
    }
    step.destroy();
  });

  it('gives the same probabilities at full size: 31,031,745 parameters', { timeout: 600_000 }, async () => {
    const device = await testDevice();
    const { full, pass, fullForward } = training;
    const unet = model(full, goldenParameters(full, pass.weightSeed, pass.gain));
    expect(unet.parameterCount()).toBe(fullForward.parameters);
    const { size } = pass;
    const forward = await compile(device, { image: [1, full.channels, size, size] }, ({ image }) => ({
      p: unet.forward(image),
    }));
    const { image } = goldenBatch(pass.dataSeed, 1, size);
    const { p } = await forward.run({ image: Float32Array.from(image.data) });
    forward.destroy();
    const values = Float32Array.from(p.data);
    const sampled = fullForward.probabilities.map((_, i) => {
      const [row, column] = [4 + 8 * Math.floor(i / 32), 4 + 8 * (i % 32)];
      return values[row * size + column] as number;
    });
    expect(relativeError(sampled, fullForward.probabilities)).toBeLessThan(1e-4);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.abs(mean / fullForward.mean - 1)).toBeLessThan(1e-4);
    expect(Math.abs(values.reduce((a, b) => Math.min(a, b)) / fullForward.min - 1)).toBeLessThan(1e-4);
    expect(Math.abs(values.reduce((a, b) => Math.max(a, b)) / fullForward.max - 1)).toBeLessThan(1e-4);
  });
});
