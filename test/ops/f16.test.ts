import { describe, expect, it } from 'vitest';
import {
  amax,
  cat,
  conv2d,
  dropout,
  evaluate,
  grad,
  maxPool2d,
  mean,
  plan,
  sum,
  type Tensor,
  tensor,
} from '../../src/engine/index.js';
import { conv2dVariants } from '../../src/engine/kernels/conv2dVariants.js';
import { parseForce } from '../../src/engine/tuning/force.js';
import { facts } from '../engine/facts.js';
import { array64, map, relativeError } from '../reference/array.js';
import { testDevice } from '../support/device.js';
import { type AnyCase, inputValues } from './case.js';
import { convCases, convTransposeCases, largeConvCases } from './cases/conv.js';
import { binaryCases, unaryCases } from './cases/elementwise.js';
import { movementCases } from './cases/movement.js';
import { poolCases } from './cases/pool.js';
import { checkHalf, constant, HALF, ofConv, rounded, SINGLE, type Tolerances } from './half.js';

const device = await testDevice();
const there = device.facts.features.includes('shader-f16');
const check = (one: AnyCase, tolerances: Tolerances, force = {}) => checkHalf(device, one, tolerances, force);

describe.runIf(there)('in f16', () => {
  describe('a convolution', () => {
    // Stored as f16 the kernels do what they do in f32, so some of the shapes that are tried there are enough.
    const some = (table: readonly AnyCase[], names: readonly string[]) =>
      table.filter(({ name }) => names.some((part) => name.endsWith(part)));
    for (const one of [
      ...some(convCases, [
        'of single elements',
        '2d 3x3 padding 1',
        'prime sizes, no bias',
        'depthwise',
        'to one channel',
      ]),
      ...some(convCases, ['3x5 stride 2x3 padding 1x2', 'groups 2, stride 2, dilation 2, no bias']),
      ...some(convTransposeCases, [
        '2x2 stride 2',
        'no bias, prime sizes',
        'groups 2',
        'padding 1 output padding 1',
      ]),
    ])
      it(one.name, () => check(one, ofConv));

    const plain = convCases.find(({ name }) => name.includes('3x3 padding 1 in powers'));
    const odd = largeConvCases.find(({ name }) => name.includes('33 to 65'));
    const patch = convCases.find(({ name }) => name.endsWith('conv2d 1x1'));
    const up = convTransposeCases.find(({ name }) => name.includes('19 channels'));
    const names = new Set(
      [conv2dVariants.forward, conv2dVariants.inputGrad, conv2dVariants.weightGrad].flat(),
    );
    for (const name of names) {
      for (const one of [plain, odd, patch, up]) {
        const force = parseForce([name]);
        it(`${one?.name} by ${name}, where it can`, async () => {
          try {
            await check(one as AnyCase, ofConv, force);
          } catch (error) {
            if (!/cannot run/.test((error as Error).message)) throw error;
          }
        });
      }
    }

    it('refuses a kernel that knows f32 only, by name', () => {
      const only = conv2dVariants.forward.filter((name) => {
        try {
          const x = tensor(new Float32Array(512), [1, 2, 16, 16]).half();
          const w = tensor(new Float32Array(36), [2, 2, 3, 3]);
          plan(device.facts, {}, () => ({ y: conv2d(x, w, null, { padding: 1 }) }), {
            force: { conv2d: name },
            kernels: device.kernels,
          });
          return false;
        } catch (error) {
          expect((error as Error).message).toContain(`variant '${name}' cannot run this problem`);
          return true;
        }
      });
      expect(only).not.toContain('direct');
    });

    it('writes f32 where that is what is read, with bias, ReLU and dropout on the way', async () => {
      const one = plain as AnyCase;
      const [x, w, b] = inputValues(one).map(rounded).map(constant) as [Tensor, Tensor, Tensor];
      const make = (input: Tensor) =>
        dropout(conv2d(input, w, b, { padding: 1 }).relu(), 0.3, { training: true, stream: 2 });
      const [half, single] = await evaluate(device, [make(x.half()).float(), make(x)], { seed: 3, step: 1 });
      expect(relativeError(half?.data ?? [], Float64Array.from(single?.data ?? []))).toBeLessThan(SINGLE);
      const made = plan(device.facts, {}, () => ({ y: make(x.half()).float() }));
      expect(made.steps.filter(({ op }) => op === 'conv2d').length).toBeGreaterThan(0);
      // Of the input and of the weight; none of the result.
      expect(made.steps.filter(({ op }) => op === 'cast')).toHaveLength(2);
    });
  });

  describe('max pooling', () => {
    for (const one of poolCases) it(one.name, () => check(one, { value: 0, gradient: () => HALF }));
  });

  describe('movement', () => {
    for (const one of movementCases) it(one.name, () => check(one, { value: 0, gradient: () => HALF }));
  });

  describe('an elementwise op', () => {
    // Gradients are made of several results, each rounded.
    const tried =
      /^(unary (exp|log|relu|leakyRelu|sigmoid|silu|addScalar|mulScalar|square) on|binary (add|mul|div|maximum|gt) )/;
    for (const one of [...unaryCases, ...binaryCases].filter(({ name }) => tried.test(name)))
      it(one.name, () => check(one, { value: HALF, gradient: () => 8 * HALF }));

    it('with f32 gives f32, but for a single number', async () => {
      const a = tensor([1, 2, 3]);
      const b = tensor([0.1, 0.2, 0.3]);
      expect(a.half().add(b).dtype).toBe('f32');
      expect(a.half().add(1).dtype).toBe('f16');
      expect(a.half().mul(tensor(0.5)).dtype).toBe('f16');
      const [both, gradient] = await evaluate(device, [a.half().add(b), ...grad(sum(a.half().mul(b)), [a])]);
      expect(relativeError(both?.data ?? [], Float64Array.of(1.1, 2.2, 3.3))).toBeLessThan(SINGLE);
      expect(relativeError(gradient?.data ?? [], Float64Array.of(0.1, 0.2, 0.3))).toBeLessThan(HALF);
    });

    it('rounds to nearest, and to infinity beyond the largest', async () => {
      const values = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 65519, 65520, -1e9, 2 ** -24, 0);
      const value = await evaluate(device, tensor(values).half());
      expect(value.data).toBeInstanceOf(Float32Array);
      // Halfway cases and overflow are the adapter's: the specification allows either neighbour.
      const [a, b, c, , , f, g, h] = value.data as Float32Array;
      expect([1, 1 + 2 ** -10]).toContain(a);
      expect([1 + 2 ** -10, 1 + 2 ** -9]).toContain(b);
      expect(c).toBe(65504);
      expect(f).toBeLessThanOrEqual(-65504);
      expect([0, 2 ** -24]).toContain(g);
      expect(h).toBe(0);
    });
  });

  it('dropout keeps the same elements as in f32', async () => {
    const x = rounded(
      array64(
        [3, 5, 7],
        Array.from({ length: 105 }, (_, i) => 1 + i / 64),
      ),
    );
    const leaf = constant(x);
    const options = { training: true, stream: 4 };
    const [half, single] = await evaluate(
      device,
      [dropout(leaf.half(), 0.4, options), dropout(leaf, 0.4, options)],
      { seed: 1, step: 2 },
    );
    expect(relativeError(half?.data ?? [], Float64Array.from(single?.data ?? []))).toBeLessThanOrEqual(HALF);
  });

  it('sums, means and maxima are f32', async () => {
    const x = rounded(
      array64(
        [40, 50],
        Array.from({ length: 2000 }, (_, i) => Math.sin(i) + 1),
      ),
    );
    const leaf = constant(x);
    const h = leaf.half();
    const [all, columns, most, gradient] = await evaluate(device, [
      sum(h),
      mean(h, [0]),
      amax(h),
      ...grad(sum(h.square()), [leaf]),
    ]);
    const total = x.data.reduce((a, b) => a + b, 0);
    expect(relativeError(all?.data ?? [], [total])).toBeLessThan(SINGLE);
    expect(columns?.shape).toEqual([50]);
    expect(most?.data[0]).toBe(Math.max(...x.data));
    expect(relativeError(gradient?.data ?? [], map(x, (v) => 2 * v).data)).toBeLessThanOrEqual(2 * HALF);
  });

  it('a concat and its gradients cost no copy', () => {
    const x = tensor(new Float32Array(1024), [1, 4, 16, 16]);
    const w = tensor(new Float32Array(4 * 4 * 9), [4, 4, 3, 3]);
    const made = plan(device.facts, {}, () => {
      const h = x.half();
      const a = conv2d(h, w, null, { padding: 1 });
      const b = maxPool2d(conv2d(a, w, null, { padding: 1 }), 1);
      const loss = mean(cat([a, b], 1).float());
      return { loss, gw: grad(loss, [w])[0] };
    });
    expect(made.steps.filter(({ op }) => op === 'copy' || op === 'cat')).toEqual([]);
  });

  it('an output that starts within a word is read back', async () => {
    const x = tensor([1, 2, 3, 4, 5]).half();
    const [a, b] = await evaluate(device, [x.slice(0, 1, 4), x.slice(0, 2, 3)]);
    expect([...(a?.data ?? [])]).toEqual([2, 3, 4]);
    expect([...(b?.data ?? [])]).toEqual([3]);
  });
});

describe('without shader-f16', () => {
  it('f16 is refused in one sentence that names the feature', () => {
    const make = () => ({ y: tensor([1, 2]).half() });
    expect(() => plan(facts(), {}, make)).toThrow(
      'f16 (mixed precision) needs the feature shader-f16, which Acme 3000 lacks; use f32.',
    );
    expect(() => plan({ ...facts(), features: ['shader-f16'] }, {}, make)).not.toThrow();
  });
});
