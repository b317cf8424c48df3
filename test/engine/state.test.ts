import { describe, expect, it } from 'vitest';
import { compile, evaluate } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import { Conv2d, ReLU, Sequential } from '../../src/engine/nn/layers.js';
import { sum } from '../../src/engine/ops/reduce.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { readParameters, writeParameter } from '../../src/engine/program/residence.js';
import { Rng } from '../../src/engine/random.js';
import { Parameter, tensor } from '../../src/engine/tensor.js';
import { assign } from '../../src/engine/trace.js';
import { openNodeDevice } from '../../src/node/device.js';
import { testDevice } from '../support/device.js';

function parameter(...values: number[]): Parameter {
  return new Parameter([values.length], Float32Array.from(values));
}

async function valuesOf(...parameters: Parameter[]): Promise<number[][]> {
  return (await readParameters(parameters)).map((values) => [...values]);
}

describe('a parameter', () => {
  it('is shared by the programs that use it', async () => {
    const device = await testDevice();
    const w = parameter(1, 2, 3);
    const change = await compile(device, {}, () => {
      assign(w, w.mul(2));
      return {};
    });
    const read = await compile(device, {}, () => ({ sum: sum(w) }));
    expect((await read.run({})).sum.item()).toBe(6);
    await change.run({});
    expect((await read.run({})).sum.item()).toBe(12);
    await change.run({});
    expect((await evaluate(device, w.neg())).data[2]).toBe(-12);
    expect(await valuesOf(w)).toEqual([[4, 8, 12]]);
    change.destroy();
    read.destroy();
    expect((await evaluate(device, w.neg())).data[2]).toBe(-12);
  });

  it('is zeros where it has no first values', async () => {
    const device = await testDevice();
    expect([...(await evaluate(device, new Parameter([5], null).add(1))).data]).toEqual([1, 1, 1, 1, 1]);
  });

  it('takes new values, on the GPU too', async () => {
    const device = await testDevice();
    const w = parameter(1, 2, 3);
    writeParameter(w, Float32Array.of(4, 5, 6));
    expect((await evaluate(device, sum(w))).item()).toBe(15);
    writeParameter(w, Float32Array.of(7, 8, 9));
    expect((await evaluate(device, sum(w))).item()).toBe(24);
    expect(() => writeParameter(w, new Float32Array(2))).toThrow('2 values do not fill [3].');
  });

  it('of another device is refused', async () => {
    const device = await testDevice();
    const w = parameter(1, 2);
    await evaluate(device, sum(w));
    const other = await openNodeDevice();
    await expect(evaluate(other, sum(w))).rejects.toThrow(
      /parameters of this model live on .*; make the model anew/,
    );
    await other.close();
  });

  it('that was not changed goes on to a new device, and a changed one is not silently lost', async () => {
    const first = await openNodeDevice();
    const [still, moved] = [parameter(1, 2), parameter(3, 4)];
    await evaluate(first, sum(still));
    const change = await compile(first, {}, () => {
      assign(moved, moved.mul(2));
      return {};
    });
    await change.run({});
    await first.close();
    const device = await testDevice();
    expect(await valuesOf(still)).toEqual([[1, 2]]);
    expect((await evaluate(device, sum(still))).item()).toBe(3);
    await expect(readParameters([moved])).rejects.toThrow(/which is closed; load saved ones/);
    await expect(evaluate(device, sum(moved))).rejects.toThrow(/which is closed; load saved ones/);
    writeParameter(moved, Float32Array.of(5, 6));
    expect((await evaluate(device, sum(moved))).item()).toBe(11);
  });
});

describe('what a program changes is changed after everything else', () => {
  it('so that outputs are as they were before, be they the parameter itself or a view of it', async () => {
    const device = await testDevice();
    const w = parameter(1, 2, 3, 4);
    const program = await compile(device, {}, () => {
      assign(w, w.add(10));
      return { w, half: w.slice(0, 2), doubled: w.mul(2) };
    });
    const { w: before, half, doubled } = await program.run({});
    expect([[...before.data], [...half.data], [...doubled.data]]).toEqual([
      [1, 2, 3, 4],
      [3, 4],
      [2, 4, 6, 8],
    ]);
    expect(await valuesOf(w)).toEqual([[11, 12, 13, 14]]);
    program.destroy();
  });

  it('and two parameters can be exchanged, or one given a view of itself', async () => {
    const device = await testDevice();
    const [a, b, c] = [parameter(1, 2), parameter(3, 4), parameter(5, 6, 7, 8)];
    const program = await compile(device, {}, () => {
      assign(a, b);
      assign(b, a);
      assign(c, c.reshape(2, 2).transpose(0, 1).reshape(4));
      return {};
    });
    await program.run({});
    expect(await valuesOf(a, b, c)).toEqual([
      [3, 4],
      [1, 2],
      [5, 7, 6, 8],
    ]);
    await program.run({});
    expect(await valuesOf(a, b, c)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6, 7, 8],
    ]);
    program.destroy();
  });

  it('and parameters with one gradient both take it', async () => {
    const device = await testDevice();
    const [p, q] = [parameter(1, 2, 3), parameter(4, 5, 6)];
    const sgd = new SGD([p, q], { momentum: false });
    const program = await compile(device, {}, () => {
      const loss = sum(p.add(q).square());
      sgd.update(grad(loss, [p, q]));
      return { loss };
    });
    const { loss } = await program.run({}, { lr: 0.25 });
    expect(loss.item()).toBe(25 + 49 + 81);
    expect(await valuesOf(p, q)).toEqual([
      [-1.5, -1.5, -1.5],
      [1.5, 1.5, 1.5],
    ]);
    program.destroy();
  });
});

describe('a state dict', () => {
  function model(seed: number): Sequential {
    const generator = Rng.of(seed);
    return new Sequential(new Conv2d(2, 3, 3, { generator }), new ReLU(), new Conv2d(3, 1, 1, { generator }));
  }

  it('has PyTorch’s names and shapes', async () => {
    const state = await model(1).stateDict();
    expect([...state].map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [3, 2, 3, 3]],
      ['0.bias', [3]],
      ['2.weight', [1, 3, 1, 1]],
      ['2.bias', [1]],
    ]);
  });

  it('goes from model to model, before and after they live on a GPU', async () => {
    const device = await testDevice();
    const x = tensor(
      Array.from({ length: 50 }, (_, i) => Math.sin(i)),
      [1, 2, 5, 5],
    );
    const run = async (m: Sequential) => [
      ...(await evaluate(device, m.forward(x, { training: false }))).data,
    ];
    const [a, b] = [model(1), model(2)];
    const first = await run(a);
    expect(await run(b)).not.toEqual(first);
    b.loadStateDict(await a.stateDict());
    expect(await run(b)).toEqual(first);
    const c = model(3);
    c.loadStateDict(await b.stateDict());
    expect(await run(c)).toEqual(first);
    // What was loaded is a copy.
    const state = await a.stateDict();
    c.loadStateDict(state);
    state.get('0.bias')?.data.fill(9);
    expect(await run(c)).toEqual(first);
  });

  it('of another model is refused and changes nothing', async () => {
    const m = model(1);
    const before = await m.stateDict();
    const state = await model(2).stateDict();
    const bias = state.get('0.bias');
    if (!bias) throw new Error('no bias');
    state.delete('0.bias');
    expect(() => m.loadStateDict(state)).toThrow(/of another model: missing 0\.bias; build the model/);
    state.set('0.bais', bias);
    expect(() => m.loadStateDict(state)).toThrow(/missing 0\.bias; unknown 0\.bais;/);
    state.delete('0.bais');
    state.set('0.bias', { shape: [4], data: new Float32Array(4) });
    expect(() => m.loadStateDict(state)).toThrow('0.bias is [4] there and [3] here');
    expect(await m.stateDict()).toEqual(before);
  });

  it('comes from the seed', async () => {
    expect(await model(4).stateDict()).toEqual(await model(4).stateDict());
    const weight = (await model(5).stateDict()).get('0.weight')?.data ?? [];
    expect(weight).not.toEqual((await model(4).stateDict()).get('0.weight')?.data);
    // U(-1/sqrt(fan_in), 1/sqrt(fan_in)) with a fan_in of 18.
    const bound = 1 / Math.sqrt(18);
    expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...weight)).toBeGreaterThan(0.8 * bound);
    expect(Math.min(...weight)).toBeLessThan(-0.8 * bound);
  });
});
