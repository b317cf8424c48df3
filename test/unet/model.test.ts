import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/compile.js';
import { Tensor, tensor } from '../../src/engine/tensor.js';
import { checkTrainConfig, presets } from '../../src/unet/config.js';
import { UNet } from '../../src/unet/model.js';
import { training } from '../golden/unet.js';
import { testDevice } from '../support/device.js';
import { tinyConfig } from './discs.js';

const tiny = { depth: 3, baseChannels: 2, dropout: 0 };

describe('the U-Net', () => {
  it('has the parameters of the reference program, by name and shape', () => {
    const { channels, outputs, depth, base } = training.small;
    const model = new UNet({ inChannels: channels, outChannels: outputs, depth, baseChannels: base });
    expect(model.namedParameters().map(([name, { shape }]) => ({ name, shape: [...shape] }))).toEqual(
      training.float64.weights.map(({ name, shape }) => ({ name, shape })),
    );
  });

  it('begins with PyTorch’s distribution, from the seed', async () => {
    const values = async (seed: number) => await new UNet({ ...tiny, baseChannels: 8, seed }).stateDict();
    expect(await values(3)).toEqual(await values(3));
    const state = await values(3);
    const other = await values(4);
    // A transposed convolution's fan_in is out * kh * kw, as PyTorch has it; biases share their weights' bound.
    const fanIn: Record<string, number> = {
      'down_path.0.conv_block.conv_block.0': 27,
      'down_path.2.conv_block.conv_block.3': 32 * 9,
      'up_path.0.up': 16 * 4,
      last: 8,
    };
    for (const [name, count] of Object.entries(fanIn)) {
      for (const kind of ['weight', 'bias']) {
        const data = state.get(`${name}.${kind}`)?.data ?? new Float32Array();
        expect(data).not.toEqual(other.get(`${name}.${kind}`)?.data);
        const largest = Math.max(...data.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(count)));
        if (data.length > 50) expect(largest).toBeGreaterThan(0.9 / Math.sqrt(count));
      }
    }
  });

  it('takes any size that its levels divide, and any numbers of channels', () => {
    const model = new UNet({ ...tiny, inChannels: 5, outChannels: 4 });
    expect(model.forward(Tensor.input('x', [2, 5, 12, 20])).shape).toEqual([2, 4, 12, 20]);
    expect(new UNet({ ...tiny, depth: 1 }).forward(Tensor.input('x', [1, 3, 5, 7])).shape).toEqual([
      1, 1, 5, 7,
    ]);
  });

  it('drops elements in training only', async () => {
    const device = await testDevice();
    const model = new UNet({ depth: 2, baseChannels: 4, dropout: 0.5, seed: 1 });
    const x = tensor(
      Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i)),
      [1, 3, 8, 8],
    );
    const forward = async (dropping: boolean, step: number) => [
      ...(await evaluate(device, model.forward(x, { training: dropping }), { step })).data,
    ];
    const still = await forward(false, 0);
    expect(await forward(false, 1)).toEqual(still);
    const dropped = await forward(true, 0);
    expect(dropped).not.toEqual(still);
    expect(await forward(true, 0)).toEqual(dropped);
    expect(await forward(true, 1)).not.toEqual(dropped);
    expect(still.every((p) => p > 0 && p < 1)).toBe(true);
  });
});

describe('what makes no U-Net is told', () => {
  it.each([
    [{ depth: 0 }, 'UNet: depth must be a whole number of at least 1, not 0.'],
    [{ baseChannels: 1.5 }, 'UNet: baseChannels must be a whole number of at least 1, not 1.5.'],
    [{ inChannels: Number.NaN }, 'UNet: inChannels must be a whole number of at least 1, not NaN.'],
    [{ dropout: 1 }, 'UNet: dropout must be at least 0 and below 1, not 1.'],
  ])('%o', (config, message) => {
    expect(() => new UNet({ ...tiny, ...config })).toThrow(message);
  });

  it('a size that the levels do not divide', () => {
    expect(() => new UNet(tiny).forward(Tensor.input('x', [1, 3, 12, 18]))).toThrow(
      'UNet: with depth 3, height and width must be multiples of 4, but they are 12 and 18; pad or resize the image.',
    );
  });

  it('other channels, or no image', () => {
    const model = new UNet(tiny);
    expect(() => model.forward(Tensor.input('x', [1, 1, 8, 8]))).toThrow(
      'UNet: the input must be [N, 3, H, W], but it is [1, 1, 8, 8].',
    );
    expect(() => model.forward(Tensor.input('x', [3, 8, 8]))).toThrow('but it is [3, 8, 8].');
  });
});

describe('a training configuration', () => {
  it('of the presets is right', () => {
    for (const preset of Object.values(presets)) expect(() => checkTrainConfig(preset)).not.toThrow();
    expect(presets.post).toMatchObject({ seed: 777, epochs: 20, batchSize: 4, lr: 0.1, diceWeight: 0.3 });
  });

  it.each([
    [{ batchSize: 0 }, 'Training: batchSize must be a whole number of at least 1, not 0.'],
    [{ epochs: 1.5 }, 'Training: epochs must be a whole number of at least 1, not 1.5.'],
    [{ lr: 0 }, 'Training: the learning rate must be above 0, not 0.'],
    [{ diceWeight: 2 }, 'Training: the Dice weight must lie in 0..1, not 2.'],
    [{ size: 15 }, 'Training: with depth 2 the size must be a multiple of 2, not 15.'],
  ])('%o is refused', (more, message) => {
    expect(() => checkTrainConfig(tinyConfig(more))).toThrow(message);
  });
});
