/**
 * Checkpoints are safetensors files. Weights carry the reference's names in torch and, in the metadata, the model's
 * configuration, so that a model can be made from the file alone. A resume file holds the optimiser and the progress too.
 */
import { fail } from '../engine/errors.js';
import { toHalf } from '../engine/half.js';
import type { StateDict } from '../engine/nn/module.js';
import { readParameters, writeParameter } from '../engine/program/residence.js';
import type { TrainConfig } from './config.js';
import { checkConfig, UNet, type UNetConfig } from './model.js';
import { type Optimizer, optimizerState } from './programs.js';
import { decode, encodeChunks, type SafeFile, type SafeTensor, toFloat32 } from './safetensors.js';
import type { Progress } from './train.js';

/** Prefix of what is not a weight in a resume file. */
const OPTIMIZER = 'optimizer.';

/** How slices were made ready for the model; whoever uses the weights must do the same. */
export interface Preparation {
  /** Height and width the model was trained at; null where the file does not tell. */
  readonly size: number | null;
}

export interface Weights {
  readonly config: UNetConfig;
  readonly preparation: Preparation;
  readonly state: StateDict;
  /** All of the file's metadata. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What the file is called in errors. */
  readonly source: string;
}

function metadataOf(
  config: UNetConfig,
  preparation: Preparation,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    format: 'shadergrad-unet',
    model: JSON.stringify(config),
    preparation: JSON.stringify(preparation),
    ...more,
  };
}

function tensors(state: StateDict, half: boolean): Map<string, SafeTensor> {
  return new Map(
    [...state].map(([name, { shape, data }]): [string, SafeTensor] => [
      name,
      half ? { dtype: 'F16', shape, data: toHalf(data) } : { dtype: 'F32', shape, data },
    ]),
  );
}

/** The bytes of a weights file, in pieces to be written one after the other. `half` stores f16. */
export async function encodeWeights(
  model: UNet,
  preparation: Preparation,
  more: Readonly<Record<string, string>> = {},
  half = false,
): Promise<Uint8Array[]> {
  return encodeChunks(tensors(await model.stateDict(), half), metadataOf(model.config, preparation, more));
}

/**
 * Reads a weights or resume file; `source` is how it is called in errors. A file from elsewhere that has the reference's
 * names and no metadata of ours is read too: its configuration is told by the shapes.
 */
export function decodeWeights(bytes: Uint8Array, source: string): Weights {
  const file = decode(bytes, source);
  const own = file.metadata.has('model');
  const config = own ? parse<UNetConfig>(file, 'model', source) : inferConfig(file.tensors, source);
  checkConfig(config);
  const preparation = own ? parse<Preparation>(file, 'preparation', source) : { size: null };
  checkPreparation(preparation, source);
  const state: StateDict = new Map();
  for (const [name, tensor] of file.tensors) {
    if (!name.startsWith(OPTIMIZER))
      state.set(name, { shape: tensor.shape, data: toFloat32(tensor, name).slice() });
  }
  return { config, preparation, state, metadata: file.metadata, source };
}

/** Shapes that tell the configuration. */
const FIRST = 'down_path.0.conv_block.conv_block.0.weight';
const LAST = 'last.weight';

/**
 * The configuration of a U-Net from the names and shapes of its tensors. Dropout, which leaves no trace in them, is 0.
 * @param tensors by the reference's names @param source how the file is called in errors
 */
export function inferConfig(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  source: string,
): UNetConfig {
  const [baseChannels, inChannels] = tensors.get(FIRST)?.shape ?? [];
  const [outChannels] = tensors.get(LAST)?.shape ?? [];
  if (baseChannels === undefined || inChannels === undefined || outChannels === undefined) {
    const there = [...tensors.keys()];
    const some = there.length === 0 ? 'no tensors at all' : `${there.slice(0, 3).join(', ')}, ...`;
    fail(
      `${source} is no U-Net that can be read: it has neither a configuration in its metadata nor tensors ${FIRST} and ${LAST}, but ${some}; take another file.`,
    );
  }
  let depth = 1;
  while (tensors.has(FIRST.replace('0', `${depth}`))) depth++;
  return { inChannels, outChannels, depth, baseChannels, dropout: 0 };
}

function checkPreparation(preparation: Preparation | null, source: string): void {
  const size = preparation?.size;
  if (size !== null && !(Number.isInteger(size) && (size as number) >= 1))
    fail(`${source}: "preparation" in its metadata has no size of at least 1.`);
}

/** The model of a weights file, with its weights. @throws where they are not of the file's own configuration */
export function modelFrom(weights: Weights): UNet {
  const model = new UNet(weights.config);
  try {
    model.loadStateDict(weights.state);
  } catch (cause) {
    fail(`${weights.source}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return model;
}

export interface ResumeFacts {
  readonly config: TrainConfig;
  readonly progress: Progress;
  /** What the program that trains wants back, as JSON. */
  readonly extra: unknown;
}

/** The bytes of a resume file: weights, optimiser state, progress. */
export async function encodeResume(
  model: UNet,
  optimizer: Optimizer,
  preparation: Preparation,
  facts: ResumeFacts,
): Promise<Uint8Array[]> {
  const all = tensors(await model.stateDict(), false);
  const state = optimizerState(optimizer);
  const values = await readParameters(state.map(([, parameter]) => parameter));
  state.forEach(([name, { shape }], i) => {
    all.set(`${OPTIMIZER}${name}`, { dtype: 'F32', shape, data: values[i] as Float32Array });
  });
  return encodeChunks(all, metadataOf(model.config, preparation, { resume: JSON.stringify(facts) }));
}

/** What a resume file says, before anything is loaded from it. */
export function decodeResume(
  bytes: Uint8Array,
  source: string,
): { readonly file: SafeFile; readonly facts: ResumeFacts; readonly weights: Weights } {
  const file = decode(bytes, source);
  return { file, facts: parse<ResumeFacts>(file, 'resume', source), weights: decodeWeights(bytes, source) };
}

/** Puts the optimiser's state of a resume file back. */
export function restoreOptimizer(optimizer: Optimizer, file: SafeFile, source: string): void {
  const state = optimizerState(optimizer);
  const found = state.map(([name, parameter]) => {
    const tensor = file.tensors.get(`${OPTIMIZER}${name}`);
    if (!tensor)
      fail(`${source}: the optimiser's ${name} is missing; this is not a resume file of this model.`);
    const data = toFloat32(tensor, name).slice();
    if (data.length !== parameter.size) fail(`${source}: the optimiser's ${name} is of another model.`);
    return data;
  });
  state.forEach(([, parameter], i) => {
    writeParameter(parameter, found[i] as Float32Array);
  });
}

function parse<T>(file: SafeFile, key: string, source: string): T {
  const text = file.metadata.get(key);
  if (text === undefined) {
    fail(
      `${source}: there is no "${key}" in its metadata, so it is not a ${key === 'resume' ? 'resume file' : 'U-Net'} of this program.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    fail(`${source}: "${key}" in its metadata is not JSON.`);
  }
  if (typeof value !== 'object' || value === null) fail(`${source}: "${key}" in its metadata is no object.`);
  return value as T;
}
