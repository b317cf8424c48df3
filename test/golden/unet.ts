/**
 * The golden runs of train.py as they are known here: what PyTorch found, and the same weights and batches, made by
 * the generator to the bit (unet.py is the twin).
 */
import { readFileSync } from 'node:fs';
import { type Array64, array64, numel } from '../reference/array.js';
import { bits, uniform, unit } from '../reference/generator.js';

export interface NetConfig {
  readonly channels: number;
  readonly outputs: number;
  readonly depth: number;
  readonly base: number;
}

export interface GoldenStep {
  readonly lr: number;
  readonly momentum: number;
  readonly loss: number;
  readonly bce: number;
  readonly dice: number;
}

/** Losses of each step before its update, and sum and norm of each parameter at the end. */
export interface GoldenRun {
  readonly steps: readonly GoldenStep[];
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly sum: number;
    readonly norm: number;
  }[];
}

interface Training {
  readonly small: NetConfig;
  readonly run: {
    readonly size: number;
    readonly batch: number;
    readonly steps: number;
    readonly weightSeed: number;
    readonly gain: number;
    readonly dataSeed: number;
  };
  readonly float32: GoldenRun;
  readonly float64: GoldenRun;
  readonly full: NetConfig;
  readonly pass: { readonly size: number; readonly weightSeed: number; readonly gain: number; readonly dataSeed: number };
  readonly fullForward: {
    readonly parameters: number;
    readonly mean: number;
    readonly min: number;
    readonly max: number;
    /** Every eighth pixel of every eighth row, from pixel 4 on; float64. */
    readonly probabilities: readonly number[];
    readonly float32Error: number;
  };
}

export const training = JSON.parse(readFileSync(new URL('training.json', import.meta.url), 'utf8')) as Training;

/** Shapes of the U-Net's parameters by PyTorch name, in the order of its state dict. */
export function parameterShapes({ channels, outputs, depth, base }: NetConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const layer = (name: string, weight: readonly number[], out: number) => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, [out]);
  };
  const block = (name: string, from: number, to: number) => {
    layer(`${name}.conv_block.conv_block.0`, [to, from, 3, 3], to);
    layer(`${name}.conv_block.conv_block.3`, [to, to, 3, 3], to);
  };
  const width = (level: number) => base * 2 ** level;
  for (let i = 0; i < depth; i++) block(`down_path.${i}`, i === 0 ? channels : width(i - 1), width(i));
  for (let i = 0; i < depth - 1; i++) {
    const level = depth - 2 - i;
    layer(`up_path.${i}.up`, [width(level + 1), width(level), 2, 2], width(level));
    block(`up_path.${i}`, width(level + 1), width(level));
  }
  layer('last', [outputs, base, 1, 1], outputs);
  return shapes;
}

/** Parameter i from sequence seed + i: weights between +-sqrt(gain / fan_in), biases +-sqrt(1 / fan_in). */
export function goldenParameters(config: NetConfig, seed: number, gain: number): Map<string, Array64> {
  const values = new Map<string, Array64>();
  let fanIn = 1;
  let i = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const weight = name.endsWith('weight');
    if (weight) fanIn = numel(shape.slice(1));
    const bound = Math.sqrt((weight ? gain : 1) / fanIn);
    values.set(name, { shape, data: uniform(seed + i++, numel(shape), -bound, bound) });
  }
  return values;
}

function sample(seed: number, size: number): { image: Float64Array; mask: Float64Array } {
  const place = (i: number) => unit(seed, i);
  const [cx, cy] = [size * (0.25 + 0.5 * place(0)), size * (0.25 + 0.5 * place(1))];
  const [rx, ry] = [size * (0.1 + 0.15 * place(2)), size * (0.1 + 0.15 * place(3))];
  const lesion = bits(seed, 4) % 4 !== 0;
  const mask = Float64Array.from({ length: size * size }, (_, i) => {
    const dx = ((i % size) - cx) / rx;
    const dy = (Math.floor(i / size) - cy) / ry;
    return lesion && dx * dx + dy * dy < 1 ? 1 : 0;
  });
  const brightness = [0.1, 0.3, 0.2];
  const image = Float64Array.from({ length: 3 * size * size }, (_, i) => {
    const inside = mask[i % (size * size)] === 1;
    const channel = Math.floor(i / (size * size));
    return Math.fround(0.2 + 0.3 * unit(seed, 5 + i) + (inside ? (brightness[channel] as number) : 0));
  });
  return { image, mask };
}

/** Batch of `count` samples from sequences seed, seed + 1, ...: images [count, 3, size, size], masks [count, 1, size, size]. */
export function goldenBatch(seed: number, count: number, size: number): { image: Array64; mask: Array64 } {
  const image = new Float64Array(count * 3 * size * size);
  const mask = new Float64Array(count * size * size);
  for (let i = 0; i < count; i++) {
    const one = sample(seed + i, size);
    image.set(one.image, i * one.image.length);
    mask.set(one.mask, i * one.mask.length);
  }
  return { image: array64([count, 3, size, size], image), mask: array64([count, 1, size, size], mask) };
}

/** The batch of step `step` of the small run. */
export function trainingBatch(step: number): { image: Array64; mask: Array64 } {
  const { dataSeed, batch, size } = training.run;
  return goldenBatch(dataSeed + step * batch, batch, size);
}
