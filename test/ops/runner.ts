import { afterAll, describe, expect, it } from 'vitest';
import { type Device, evaluate, grad, sum, type Tensor, tensor } from '../../src/engine/index.js';
import { type Array64, at, inner, map, relativeError } from '../reference/array.js';
import { referenceForward, referenceVjp } from '../reference/registry.js';
import { testDevice } from '../support/device.js';
import { build } from './build.js';
import { type AnyCase, cotangent, inputValues, tolerance } from './case.js';

/** The worst error of each op, told at the end where the environment variable SHADERGRAD_ERRORS is set. */
const worst = new Map<string, { error: number; name: string }>();

function check(one: AnyCase, what: string, actual: ArrayLike<number>, expected: Array64): void {
  const error = relativeError(actual, expected.data);
  const key = `${one.op}${one.long ? ' (long sums)' : ''}`;
  const before = worst.get(key);
  if (!(before && before.error >= error)) worst.set(key, { error, name: `${one.name}: ${what}` });
  expect(error, what).toBeLessThanOrEqual(tolerance(one));
}

function constant(a: Array64): Tensor {
  return tensor(a.data, a.shape);
}

/** The op by itself: its value, and its gradients for a random cotangent. */
export async function checkAlone(
  device: Device,
  one: AnyCase,
  force: Readonly<Record<string, string>> = {},
): Promise<void> {
  const values = inputValues(one);
  const expected = referenceForward(one, values);
  const g = cotangent(one, expected.shape);
  const gradients = referenceVjp(one, values, g);
  // A loss that does not depend on an input is an error for grad(), so what is flat is left out here.
  const asked = one.inputs.flatMap((spec, i) =>
    spec.gradient && gradients[i]?.data.some((v) => v !== 0) ? [i] : [],
  );

  const inputs = values.map(constant);
  const y = build(one, inputs);
  expect(y.shape).toEqual(expected.shape);
  const targets = asked.map((i) => inputs[i] as Tensor);
  const grads = targets.length > 0 ? grad(sum(y.mul(constant(g))), targets) : [];
  const [value, ...rest] = await evaluate(device, [y, ...grads], {}, { force });
  check(one, 'value', value?.data ?? [], expected);
  asked.forEach((i, k) => {
    check(one, `gradient of input ${i}`, rest[k]?.data ?? [], gradients[i] as Array64);
  });
}

const SCALE = 2;
const SHIFT = 0.125;

/**
 * The op in the middle of a graph, its result never given out, so that it may be fused with its neighbours:
 * loss = sum(r * y) + sum(s * y^2) / 2 + sum(q * v), y = op(2 v + 1/8).
 */
async function inMidGraph(one: AnyCase): Promise<void> {
  const moved = (i: number) => one.inputs[i]?.gradient === true;
  const fed = inputValues(one).map((x, i) =>
    moved(i) ? map(x, (v) => Math.fround((v - SHIFT) / SCALE)) : x,
  );
  const values = fed.map((v, i) => (moved(i) ? map(v, (value) => value * SCALE + SHIFT) : v));
  const expected = referenceForward(one, values);
  const [r, s] = [cotangent(one, expected.shape, 0), cotangent(one, expected.shape, 1)];
  const q = fed.map((v, i) => cotangent(one, v.shape, 2 + i));
  const gradients = referenceVjp(
    one,
    values,
    map(expected, (y, k) => at(r, k) + at(s, k) * y),
  ).map((g, i) => map(q[i] as Array64, (own, k) => own + (g ? SCALE * at(g, k) : 0)));
  const asked = one.inputs.flatMap((_spec, i) => (moved(i) ? [i] : []));
  const halves = map(expected, (y, k) => 0.5 * at(s, k) * y);
  const sums: [Array64, Array64][] = [
    [expected, r],
    [expected, halves],
    ...asked.map((i): [Array64, Array64] => [fed[i] as Array64, q[i] as Array64]),
  ];
  const total = sums.reduce((sum, [a, b]) => sum + inner(a, b), 0);
  const size = sums.reduce((sum, [a, b]) => sum + inner(map(a, Math.abs), map(b, Math.abs)), 0);

  const inputs = fed.map(constant);
  const y = build(
    one,
    inputs.map((v, i) => (moved(i) ? v.mul(SCALE).add(SHIFT) : v)),
  );
  let loss = sum(y.mul(constant(r))).add(sum(y.square().mul(constant(s))).mul(0.5));
  for (const i of asked) loss = loss.add(sum((inputs[i] as Tensor).mul(constant(q[i] as Array64))));
  const grads = grad(
    loss,
    asked.map((i) => inputs[i] as Tensor),
  );
  const [value, ...rest] = await evaluate(await testDevice(), [loss, ...grads]);
  expect(Math.abs((value?.data[0] ?? Number.NaN) - total), 'loss').toBeLessThanOrEqual(tolerance(one) * size);
  asked.forEach((i, k) => {
    check(one, `gradient of input ${i} in mid-graph`, rest[k]?.data ?? [], gradients[i] as Array64);
  });
}

afterAll(() => {
  if (!process.env.SHADERGRAD_ERRORS) return;
  for (const [op, { error, name }] of worst) console.log(`${op}: ${error.toExponential(2)} (${name})`);
});

/** Tests of the engine against the reference on every case of a table, alone and in mid-graph. */
export function testCases(table: readonly AnyCase[]): void {
  for (const op of new Set(table.map((one) => one.op))) {
    describe(op, () => {
      for (const one of table.filter((other) => other.op === op)) {
        it(one.name, async () => checkAlone(await testDevice(), one));
        it(`${one.name}, in mid-graph`, () => inMidGraph(one));
      }
    });
  }
}
