import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeWeights, encodeWeights } from '../../src/unet/checkpoint.js';
import { decode, toFloat32 } from '../../src/unet/safetensors.js';
import { type Image8, Segmenter } from '../../src/unet/segment.js';
import { testDevice } from '../support/device.js';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const PYTHON = process.env.SHADERGRAD_PYTHON || '/usr/bin/python3';
const hasTorch = spawnSync(PYTHON, ['-c', 'import torch']).status === 0;
if (!hasTorch)
  console.log(
    `${PYTHON} has no PyTorch: that weights written here load in it is not tested (Debian: python3-torch).`,
  );

const slice = decode(readFileSync(here('exchange-slice.safetensors')), 'exchange-slice.safetensors');
const imageTensor = slice.tensors.get('image');
const [height, width] = imageTensor?.shape as [number, number, number];
const image: Image8 = { height, width, data: imageTensor?.data as Uint8Array };

/** Norm of the difference over norm of the reference. */
function error(got: ArrayLike<number>, reference: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < reference.length; i++) {
    difference += ((got[i] as number) - (reference[i] as number)) ** 2;
    norm += (reference[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}

function expectSame(got: Float32Array, reference: Float32Array): void {
  expect(got.length).toBe(reference.length);
  expect(error(got, reference)).toBeLessThan(1e-5);
  // The fixture's threshold is its own median, so one pixel lies on it, where rounding decides.
  const decided = (i: number) => Math.abs((reference[i] as number) - 0.5) > 1e-5;
  const mask = (p: Float32Array) => Array.from(p, (v) => v > 0.5).filter((_, i) => decided(i));
  expect(mask(got)).toEqual(mask(reference));
  expect(mask(got).length).toBeGreaterThan(0.99 * reference.length);
  // A mask that is all one value would say nothing.
  expect(new Set(mask(reference)).size).toBe(2);
}

describe('weights between PyTorch and here', () => {
  it("PyTorch's give the same probabilities and mask here", async () => {
    const device = await testDevice();
    const weights = decodeWeights(
      readFileSync(here('exchange.safetensors')),
      'exchange.safetensors',
    );
    expect(weights.config).toMatchObject({ inChannels: 3, outChannels: 1, depth: 3, baseChannels: 4 });
    const segmenter = new Segmenter(device, weights);
    const expected = slice.tensors.get('probabilities');
    if (!expected) throw new Error('the fixture has no probabilities');
    expectSame(await segmenter.segment(image), toFloat32(expected));
    await segmenter.destroy();
  });

  it.runIf(hasTorch)('ours give the same probabilities and mask in PyTorch', async () => {
    const device = await testDevice();
    const theirs = decodeWeights(readFileSync(here('exchange.safetensors')), 'exchange.safetensors');
    const first = new Segmenter(device, theirs);
    // Other weights than the fixture's, so that its own file cannot pass for ours.
    const state = await first.model.stateDict();
    for (const [name, { data }] of state) {
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * (1 + 0.01 * Math.sin(i + name.length));
    }
    first.model.loadStateDict(state);
    const folder = mkdtempSync(join(tmpdir(), 'shadergrad-exchange-'));
    try {
      const file = join(folder, 'ours.safetensors');
      const out = join(folder, 'probabilities.bin');
      writeFileSync(file, Buffer.concat(await encodeWeights(first.model, { size: null })));
      execFileSync(PYTHON, [here('exchange.py'), '--predict', file, here('exchange-slice.safetensors'), out]);
      const theirs = readFileSync(out);
      const ours = new Segmenter(device, decodeWeights(readFileSync(file), 'ours.safetensors'));
      expectSame(await ours.segment(image), new Float32Array(theirs.buffer.slice(theirs.byteOffset, theirs.byteOffset + theirs.length)));
      await ours.destroy();
    } finally {
      rmSync(folder, { recursive: true });
      await first.destroy();
    }
  });
});
