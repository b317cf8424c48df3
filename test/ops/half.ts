/** Ops on f16, held to float64. */
import { expect } from 'vitest';
import { fromHalf, toHalf } from '../../src/engine/half.js';
import { type Device, evaluate, grad, sum, type Tensor, tensor } from '../../src/engine/index.js';
import { type Array64, array64, relativeError } from '../reference/array.js';
import { referenceForward, referenceVjp } from '../reference/registry.js';
import { build } from './build.js';
import { type AnyCase, cotangent, inputValues } from './case.js';

/** The largest relative error of rounding to f16; and what float32 is given. */
export const HALF = 2 ** -11;
export const SINGLE = 1e-5;

export function rounded(a: Array64): Array64 {
  return array64(a.shape, fromHalf(toHalf(Float32Array.from(a.data))));
}

export function constant(a: Array64): Tensor {
  return tensor(a.data, a.shape);
}

export interface Tolerances {
  readonly value: number;
  /** Of each input's gradient. */
  readonly gradient: (input: number) => number;
}

/**
 * The op on f16 against float64 on the same rounded numbers, so that what is left is the rounding of results. A bias
 * (the third input of a convolution) stays f32, as do the gradients of weight and bias.
 */
export async function checkHalf(
  device: Device,
  one: AnyCase,
  tolerances: Tolerances,
  force: Readonly<Record<string, string>> = {},
): Promise<void> {
  const values = inputValues(one).map(rounded);
  const expected = referenceForward(one, values);
  const g = rounded(cotangent(one, expected.shape));
  const gradients = referenceVjp(one, values, g);
  const asked = one.inputs.flatMap((spec, i) =>
    spec.gradient && gradients[i]?.data.some((v) => v !== 0) ? [i] : [],
  );
  const isConv = one.op === 'conv2d' || one.op === 'convTranspose2d';
  const leaves = values.map(constant);
  const y = build(
    one,
    leaves.map((leaf, i) => (isConv && i === 2 ? leaf : leaf.half())),
  );
  expect(y.dtype).toBe('f16');
  expect(y.shape).toEqual(expected.shape);
  const targets = asked.map((i) => leaves[i] as Tensor);
  const grads = targets.length > 0 ? grad(sum(y.float().mul(constant(g))), targets) : [];
  const [value, ...rest] = await evaluate(device, [y, ...grads], {}, { force });
  expect(relativeError(value?.data ?? [], expected.data), 'value').toBeLessThanOrEqual(tolerances.value);
  asked.forEach((i, k) => {
    const error = relativeError(rest[k]?.data ?? [], (gradients[i] as Array64).data);
    expect(error, `gradient of input ${i}`).toBeLessThanOrEqual(tolerances.gradient(i));
  });
}

/** Of a convolution: its bias's and its weight's gradients are f32. */
export const ofConv: Tolerances = { value: HALF, gradient: (i) => (i === 0 ? HALF : SINGLE) };
