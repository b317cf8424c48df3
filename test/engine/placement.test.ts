import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import { cat } from '../../src/engine/ops/cat.js';
import { sum } from '../../src/engine/ops/reduce.js';
import { type Tensor, tensor } from '../../src/engine/tensor.js';
import { testDevice } from '../support/device.js';

/** A leaf [2, 2, 2, 2] of small numbers that differ. */
function leaf(start: number): Tensor {
  return tensor(
    Array.from({ length: 16 }, (_, i) => start + 0.5 * i),
    [2, 2, 2, 2],
  );
}

/** A computed tensor, which the plan may write where it likes. */
function made(start: number): Tensor {
  return leaf(start).neg();
}

const x = (): Tensor => made(1);
const y = (): Tensor => made(20);

/** Values of `build` as the plan places them, and with each op alone and every tensor copied out of the way. */
async function agree(build: () => Tensor): Promise<void> {
  const device = await testDevice();
  const whole = await evaluate(device, build());
  const parts = joinOnHost(build());
  expect([...whole.data]).toEqual(await parts);
}

/** The value of a cat whose parts are computed one by one, by programs of their own, and joined here. */
async function joinOnHost(joined: Tensor): Promise<number[]> {
  const device = await testDevice();
  if (joined.op?.name !== 'cat') return [...(await evaluate(device, joined)).data];
  const { axis } = joined.attrs as { axis: number };
  const parts: number[][] = [];
  for (const part of joined.inputs) parts.push(await joinOnHost(part));
  const outer = joined.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const inner = joined.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const out: number[] = [];
  for (let o = 0; o < outer; o++) {
    joined.inputs.forEach((part, i) => {
      const run = (part.shape[axis] as number) * inner;
      out.push(...(parts[i] as number[]).slice(o * run, (o + 1) * run));
    });
  }
  return out;
}

describe('a concat has the right values', () => {
  const cases: Record<string, () => Tensor> = {
    'of two computed tensors': () => cat([x(), y()], 1),
    'of a tensor and what is made from it': () => {
      const a = x();
      return cat([a, a.relu()], 1);
    },
    'of what is made from a tensor and the tensor': () => {
      const a = x();
      return cat([a.exp(), a], 1);
    },
    'of leaves': () => cat([leaf(1), leaf(2)], 1),
    'of a leaf and a computed tensor': () => cat([leaf(1), y()], 1),
    'of one tensor twice': () => {
      const a = x();
      return cat([a, a], 1);
    },
    'of one tensor three times, another between': () => {
      const a = x();
      return cat([a, y(), a, a], 1);
    },
    'on axis 0': () => cat([x(), y()], 0),
    'on axis 2': () => cat([x(), y()], 2),
    'on axis 3': () => cat([x(), y()], 3),
    'of a tensor and a slice of it': () => {
      const a = x();
      return cat([a, a.slice(1, 1, 2)], 1);
    },
    'of a slice of a tensor and the tensor': () => {
      const a = x();
      return cat([a.slice(2, 0, 1), a], 2);
    },
    'of a tensor and its transpose': () => {
      const a = x();
      return cat([a, a.transpose(2, 3)], 1);
    },
    'of a reshaped tensor': () => cat([x().reshape(2, 1, 4, 2), y().reshape(2, 1, 4, 2)], 1),
    'in a concat on the same axis': () => cat([cat([x(), y()], 1), made(50)], 1),
    'in a concat on another axis': () => cat([cat([x(), y()], 1), cat([made(50), made(80)], 1)], 2),
    'in a concat, with a part that is made from a part of the inner': () => {
      const a = x();
      return cat([cat([a, y()], 1), a.exp()], 1);
    },
    'in a concat, with a part that the inner has too': () => {
      const a = x();
      return cat([cat([a, y()], 1), a], 1);
    },
    'in a concat, with a slice of a part of the inner': () => {
      const a = x();
      return cat([a.slice(1, 0, 1), cat([a, y()], 1)], 1);
    },
    'twice in one concat': () => {
      const inner = cat([x(), y()], 1);
      return cat([inner, inner.neg(), inner], 1);
    },
    'of parts that two concats want': () => {
      const [a, b] = [x(), y()];
      return cat([cat([a, b], 1), cat([b, a], 1)], 1);
    },
    'three deep': () => cat([x(), cat([y(), cat([made(50), made(80)], 1)], 1)], 1),
  };
  for (const [name, build] of Object.entries(cases)) it(name, () => agree(build));

  it('where a part is read by others and given out', async () => {
    const device = await testDevice();
    const [a, b] = [x(), y()];
    const both = cat([a, b], 1);
    const [joined, part, doubled, slice] = await evaluate(device, [both, b, b.mul(2), both.slice(1, 1, 3)]);
    const own = [...(await evaluate(device, y())).data];
    expect([...(part?.data ?? [])]).toEqual(own);
    expect([...(doubled?.data ?? [])]).toEqual(own.map((v) => 2 * v));
    expect([...(slice?.data ?? [])].slice(4, 8)).toEqual([...(joined?.data ?? [])].slice(8, 12));
  });

  it('where the gradient of a concat goes to parts that are gradients themselves', async () => {
    const device = await testDevice();
    const [a, b] = [leaf(1), leaf(30)];
    const both = cat([a.square(), cat([b, a.mul(b)], 1)], 1);
    const [ga, gb] = grad(sum(both.square()), [a, b]);
    const [va, vb] = await evaluate(device, [ga, gb]);
    for (let i = 0; i < 16; i++) {
      const [p, q] = [1 + 0.5 * i, 30 + 0.5 * i];
      expect(va?.data[i]).toBeCloseTo(4 * p ** 3 + 2 * p * q * q, 0);
      expect(vb?.data[i]).toBeCloseTo(2 * q + 2 * p * p * q, 0);
    }
  });
});
