import { describe, expect, it } from 'vitest';
import {
  decodeResume,
  decodeWeights,
  encodeResume,
  encodeWeights,
  modelFrom,
  restoreOptimizer,
} from '../../src/unet/checkpoint.js';
import { UNet } from '../../src/unet/model.js';
import { makeOptimizer, optimizerState } from '../../src/unet/programs.js';
import { encodeChunks, type SafeTensor } from '../../src/unet/safetensors.js';
import { beginning } from '../../src/unet/train.js';
import { tinyConfig } from './discs.js';

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const config = { inChannels: 3, outChannels: 2, depth: 2, baseChannels: 4, dropout: 0.25 };
const model = new UNet({ ...config, seed: 9 });

async function weightsFile(half = false): Promise<Uint8Array> {
  return joined(await encodeWeights(model, { size: 16 }, { made: 'here' }, half));
}

/** A file of `tensors` with this metadata and nothing else. */
function file(metadata: Record<string, string>, tensors = new Map<string, SafeTensor>()): Uint8Array {
  return joined(encodeChunks(tensors, metadata));
}

const resumeFacts = { config: tinyConfig({ model: config }), progress: beginning, extra: null };

async function resumeFile(optimizer: 'sgd' | 'adam' = 'adam'): Promise<Uint8Array> {
  const made = makeOptimizer(model, { optimizer });
  return joined(await encodeResume(model, made, { size: 16 }, resumeFacts));
}

describe('a weights file', () => {
  it('gives back the model to the bit, with its configuration', async () => {
    const weights = decodeWeights(await weightsFile(), 'best.safetensors');
    expect(weights.config).toEqual(config);
    expect(weights.preparation).toEqual({ size: 16 });
    expect(weights.metadata.get('made')).toBe('here');
    const again = modelFrom(weights);
    expect(again.config).toEqual(config);
    expect(await again.stateDict()).toEqual(await model.stateDict());
  });

  it('in halves gives back each weight to 11 bits', async () => {
    const bytes = await weightsFile(true);
    expect(bytes.length).toBeLessThan(0.7 * (await weightsFile()).length);
    const state = decodeWeights(bytes, 'half').state;
    for (const [name, { data }] of await model.stateDict()) {
      state.get(name)?.data.forEach((value, i) => {
        // Below 2^-14 a half has steps of 2^-24.
        const allowed = Math.max(Math.abs(data[i] as number) * 2 ** -11, 2 ** -25);
        expect(Math.abs(value - (data[i] as number))).toBeLessThanOrEqual(allowed);
      });
    }
  });

  it('cut short anywhere is told by name', async () => {
    const bytes = await weightsFile();
    for (const length of [0, 3, 8, 100, bytes.length - 1]) {
      expect(() => decodeWeights(bytes.subarray(0, length), 'best.safetensors')).toThrow(
        /^best\.safetensors.*\.$/s,
      );
    }
  });

  it('of no U-Net is told by name', () => {
    expect(() => decodeWeights(file({}), 'other')).toThrow(/^other\b.*metadata/);
    expect(() => decodeWeights(file({ model: '{' }), 'other')).toThrow(
      'other: "model" in its metadata is not JSON.',
    );
    expect(() => decodeWeights(file({ model: 'null', preparation: '{"size":16}' }), 'other')).toThrow(
      /^other: "model"/,
    );
    expect(() => decodeWeights(file({ model: '{}', preparation: '{"size":16}' }), 'other')).toThrow(
      /inChannels must be/,
    );
    expect(() => decodeWeights(file({ model: JSON.stringify(config) }), 'other')).toThrow(
      'other: there is no "preparation" in its metadata, so it is not a U-Net of this program.',
    );
  });

  it('whose weights are not of its own configuration is told', async () => {
    const weights = decodeWeights(await weightsFile(), 'best');
    expect(() => modelFrom({ ...weights, config: { ...config, baseChannels: 8 } })).toThrow(
      /weights are of another model: .* is \[4, 3, 3, 3\] there and \[8, 3, 3, 3\] here/,
    );
    expect(() => modelFrom({ ...weights, config: { ...config, depth: 3 } })).toThrow(
      /weights are of another model: missing/,
    );
  });
});

describe('a resume file', () => {
  it('is a weights file too', async () => {
    const weights = decodeWeights(await resumeFile(), 'last');
    expect(await modelFrom(weights).stateDict()).toEqual(await model.stateDict());
  });

  it('gives back progress, configuration and what the caller added', async () => {
    const made = makeOptimizer(model, { optimizer: 'sgd' });
    const facts = {
      config: tinyConfig({ model: config }),
      progress: {
        epoch: 1,
        batch: 2,
        step: 5,
        sums: { loss: 0.1 + 0.2, bce: 1 / 3, dice: Math.PI, batches: 2 },
      },
      extra: { best: [1, null, 'x'] },
    };
    const read = decodeResume(joined(await encodeResume(model, made, { size: 16 }, facts)), 'last');
    expect(read.facts).toEqual(facts);
  });

  it.each([
    ['sgd', 1],
    ['adam', 2],
  ] as const)('holds what %s keeps, under names of its own', async (optimizer, lists) => {
    const { file: read } = decodeResume(await resumeFile(optimizer), 'last');
    const made = makeOptimizer(new UNet({ ...config, seed: 1 }), { optimizer });
    const names = optimizerState(made).map(([name]) => `optimizer.${name}`);
    expect(new Set(names).size).toBe(lists * model.parameters().length);
    for (const name of names) expect(read.tensors.has(name), name).toBe(true);
    expect(() => restoreOptimizer(made, read, 'last')).not.toThrow();
  });

  it('of another optimiser or another model is refused', async () => {
    const { file: sgd } = decodeResume(await resumeFile('sgd'), 'last');
    const adam = makeOptimizer(model, { optimizer: 'adam' });
    expect(() => restoreOptimizer(adam, sgd, 'last')).toThrow(
      /^last: the optimiser's exp_avg\..* is missing/,
    );
    const larger = makeOptimizer(new UNet({ ...config, baseChannels: 8 }), { optimizer: 'sgd' });
    expect(() => restoreOptimizer(larger, sgd, 'last')).toThrow(
      /^last: the optimiser's momentum\..* is of another model/,
    );
  });

  it('is not what a weights file is', async () => {
    const bytes = await weightsFile();
    expect(() => decodeResume(bytes, 'best')).toThrow(
      'best: there is no "resume" in its metadata, so it is not a resume file of this program.',
    );
  });
});
