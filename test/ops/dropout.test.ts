import { describe, expect, it } from 'vitest';
import {
  conv2d,
  dropout,
  evaluate,
  grad,
  maxPool2d,
  sum,
  type Tensor,
  tensor,
} from '../../src/engine/index.js';
import { type Array64, array64, numel, relativeError } from '../reference/array.js';
import { dropoutMask } from '../reference/dropout.js';
import { seedOf, signed, uniform } from '../reference/generator.js';
import { type Node, Tape } from '../reference/tape.js';
import { testDevice } from '../support/device.js';

function values(name: string, shape: readonly number[], scale = 1): Array64 {
  return array64(shape, uniform(seedOf(name), numel(shape), -scale, scale));
}

/** Away from zero, so that what was dropped can be told. */
function nonzero(name: string, shape: readonly number[]): Array64 {
  return array64(shape, signed(seedOf(name), numel(shape), 0.1, 1));
}

function constant({ data, shape }: Array64): Tensor {
  return tensor(data, shape);
}

function times(x: Array64, mask: Array64): Float64Array {
  return x.data.map((v, i) => v * (mask.data[i] as number));
}

const run = { seed: 777, step: 31 };

describe('dropout', () => {
  for (const p of [0.1, 0.5, 0.6, 0.97]) {
    it(`with p ${p} drops and scales the elements it should, and their gradients`, async () => {
      const shape = [3, 5, 7, 11];
      const x = nonzero('x', shape);
      const g = values('g', shape);
      const mask = dropoutMask(shape, p, { ...run, stream: 4 });
      const leaf = constant(x);
      const y = dropout(leaf, p, { training: true, stream: 4 });
      const [gx] = grad(sum(y.mul(constant(g))), [leaf]);
      const [value, gradient] = await evaluate(await testDevice(), [y, gx], run);
      expect(relativeError(value?.data ?? [], times(x, mask))).toBeLessThan(1e-6);
      expect(relativeError(gradient?.data ?? [], times(g, mask))).toBeLessThan(1e-6);
    });
  }

  it('counts elements by their place in the tensor, however that lies in memory', async () => {
    const x = nonzero('layout', [4, 6, 5]);
    const leaf = constant(x);
    const options = { training: true, stream: 0 };
    const turned = dropout(leaf.permute(2, 0, 1), 0.5, options);
    const cut = dropout(leaf.slice(1, 1, 6, 2), 0.5, options);
    const [a, b, plainTurned, plainCut] = await evaluate(
      await testDevice(),
      [turned, cut, leaf.permute(2, 0, 1), leaf.slice(1, 1, 6, 2)],
      run,
    );
    for (const [dropped, plain] of [
      [a, plainTurned],
      [b, plainCut],
    ]) {
      if (!dropped || !plain) throw new Error('a value is missing');
      const mask = dropoutMask(plain.shape, 0.5, { ...run, stream: 0 });
      const expected = times({ shape: plain.shape, data: Float64Array.from(plain.data) }, mask);
      expect(relativeError(dropped.data, expected)).toBe(0);
    }
  });

  it('with p 1 passes nothing, with p 0 or in evaluation everything', async () => {
    const leaf = constant(nonzero('all', [41]));
    const none = dropout(leaf, 1, { training: true, stream: 0 });
    const [gx] = grad(sum(none).add(sum(leaf)), [leaf]);
    const [value, gradient] = await evaluate(await testDevice(), [none, gx], run);
    expect([...(value?.data ?? [])]).toEqual(new Array(41).fill(0));
    expect([...(gradient?.data ?? [])]).toEqual(new Array(41).fill(1));
    expect(dropout(leaf, 0, { training: true, stream: 0 })).toBe(leaf);
    expect(dropout(leaf, 0.5, { training: false, stream: 0 })).toBe(leaf);
  });

  it('draws anew for each seed, step and stream, and the same again for the same', async () => {
    const device = await testDevice();
    const count = 20_000;
    const ones = tensor(new Float32Array(count).fill(1));
    const kept = async (seed: number, step: number, stream: number) => {
      const y = dropout(ones, 0.5, { training: true, stream });
      const { data } = await evaluate(device, y, { seed, step });
      return [...data].map((v) => (v === 0 ? 0 : 1));
    };
    const first = await kept(1, 1, 1);
    expect(await kept(1, 1, 1)).toEqual(first);
    const others = [await kept(2, 1, 1), await kept(1, 2, 1), await kept(1, 1, 2)];
    for (const other of others) {
      // Two independent draws agree on half: 0.5 +- 6 standard deviations.
      const agree = first.filter((v, i) => v === other[i]).length / count;
      expect(Math.abs(agree - 0.5)).toBeLessThan(6 * Math.sqrt(0.25 / count));
    }
    const share = first.reduce((a: number, b) => a + b, 0) / count;
    expect(Math.abs(share - 0.5)).toBeLessThan(6 * Math.sqrt(0.25 / count));
  });
});

describe('dropout between convolutions, where it is fused', () => {
  const cases = [
    { name: 'at odd sizes', x: [2, 3, 7, 5], channels: 5, pool: false },
    { name: 'in powers of two', x: [2, 8, 32, 32], channels: 16, pool: false },
    { name: 'before a pooling', x: [1, 4, 10, 12], channels: 6, pool: true },
  ] as const;

  for (const { name, x: shape, channels, pool } of cases) {
    it(name, async () => {
      const place = { ...run, stream: 2 };
      const p = 0.6;
      const [, c] = shape;
      const x = values('image', shape);
      const w1 = values('w1', [channels, c, 3, 3], 0.5);
      const b1 = values('b1', [channels], 0.5);
      const w2 = values('w2', [4, channels, 3, 3], 0.5);

      const tape = new Tape();
      const nodes = [x, w1, b1, w2].map((a) => tape.leaf(a)) as [Node, Node, Node, Node];
      const convolved = tape.call('conv2d', [nodes[0], nodes[1], nodes[2]], { padding: 1 });
      const active = tape.call('unary', [convolved], { fn: 'relu' });
      const mask = tape.leaf(dropoutMask(active.value.shape, p, place));
      const dropped = tape.call('binary', [active, mask], { fn: 'mul' });
      const pooled = pool ? tape.call('maxPool2d', [dropped], { kernelSize: 2 }) : dropped;
      const out = tape.call('conv2d', [pooled, nodes[3]], { padding: 1 });
      const g = values('cotangent', out.value.shape);
      const weighed = tape.call('binary', [out, tape.leaf(g)], { fn: 'mul' });
      tape.backward(tape.call('sum', [weighed], {}));

      const leaves = [x, w1, b1, w2].map(constant) as [Tensor, Tensor, Tensor, Tensor];
      const hidden = conv2d(leaves[0], leaves[1], leaves[2], { padding: 1 }).relu();
      const thinned = dropout(hidden, p, { training: true, stream: place.stream });
      const y = conv2d(pool ? maxPool2d(thinned, 2) : thinned, leaves[3], null, { padding: 1 });
      const gradients = grad(sum(y.mul(constant(g))), leaves);
      const [value, ...rest] = await evaluate(await testDevice(), [y, ...gradients], run);
      expect(relativeError(value?.data ?? [], out.value.data)).toBeLessThan(1e-5);
      nodes.forEach((node, i) => {
        expect(relativeError(rest[i]?.data ?? [], node.gradient.data), `gradient ${i}`).toBeLessThan(1e-5);
      });
    });
  }
});
