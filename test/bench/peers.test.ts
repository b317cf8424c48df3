import { expect, test } from 'vitest';
import { FULL, initialWeights, netFlops, netLayers, SMALL, TINY } from '../../bench/peers/net.js';
import { unetToOnnx } from '../../bench/peers/onnx.js';
import { Shadergrad } from '../../bench/peers/shadergrad.js';
import { table } from '../../bench/report.js';
import { deviations, TOLERANCE } from '../../bench/suites/check.js';
import { interleave, summarize } from '../../bench/timing.js';
import { openNodeDevice } from '../../src/node/device.js';

test('our training steps give the losses and weights of PyTorch in float64', async () => {
  const device = await openNodeDevice();
  try {
    const { loss, weights } = await deviations(new Shadergrad(device));
    expect(loss).toBeLessThan(TOLERANCE);
    expect(weights).toBeLessThan(TOLERANCE);
  } finally {
    await device.close();
  }
});

test('the nets are the ones the figures are about', () => {
  const parameters = (net: typeof FULL): number =>
    [...initialWeights(net).values()].reduce((sum, values) => sum + values.length, 0);
  expect(netLayers(FULL)).toHaveLength(23);
  expect(parameters(TINY)).toBe(
    [...initialWeights({ ...TINY, height: 64, width: 64 }).values()].reduce((n, v) => n + v.length, 0),
  );
  // 48.17 GMAC an image, and 1.156 TFLOP a step at batch 4.
  expect(netFlops(FULL).forward / 2 / FULL.batch / 1e9).toBeCloseTo(48.17, 2);
  expect(netFlops(FULL).step / 1e12).toBeCloseTo(1.156, 2);
  expect(netFlops(SMALL).step / 1e9).toBeGreaterThan(13);
});

test('the parameters of the full net count 31,031,745', () => {
  const count = netLayers(FULL).reduce(
    (sum, { shape, outChannels }) => sum + shape[0] * shape[1] * shape[2] * shape[3] + outChannels,
    0,
  );
  expect(count).toBe(31_031_745);
});

test('the ONNX file names its input and output and holds every weight', () => {
  const weights = initialWeights(TINY);
  const bytes = unetToOnnx(TINY, weights);
  const text = Buffer.from(bytes).toString('latin1');
  for (const name of ['image', 'p', ...weights.keys(), 'ConvTranspose', 'MaxPool', 'Concat', 'Sigmoid']) {
    expect(text).toContain(name);
  }
  for (const values of weights.values()) {
    expect(text).toContain(Buffer.from(values.buffer).toString('latin1'));
  }
});

test('medians, and turns taken in order', async () => {
  expect(summarize([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, runs: 3 });
  expect(summarize([4, 1, 2, 3]).median).toBe(2.5);
  const order: string[] = [];
  const contestants = new Map(['a', 'b'].map((name) => [name, async () => order.push(name)]));
  await interleave(contestants, 3);
  expect(order.join('')).toBe('ababab');
});

test('a table has a line for each row and tells notes once', () => {
  const row = { suite: 'step', case: 'small', what: 'training step', value: 850.4, unit: 'ms' };
  const versus = { ...row, peer: 'tfjs', peerValue: 8504, ratio: 10, note: 'NHWC' };
  const lines = table([row, versus, versus]).split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[2]).toMatch(/850 .*tfjs +8504 +10\.0x$/);
  expect(lines[4]).toBe('* tfjs: NHWC');
});
