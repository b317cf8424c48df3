import { afterAll, describe, expect, it } from 'vitest';
import { compile, evaluate, plan } from '../../src/engine/compile.js';
import type { Device } from '../../src/engine/device.js';
import { ShaderGradError } from '../../src/engine/errors.js';
import { grad } from '../../src/engine/grad.js';
import type { Lowering } from '../../src/engine/kernel.js';
import type { Op } from '../../src/engine/op.js';
import { cat } from '../../src/engine/ops/cat.js';
import { conv2d } from '../../src/engine/ops/conv.js';
import { dropout } from '../../src/engine/ops/dropout.js';
import { pad } from '../../src/engine/ops/pad.js';
import { maxPool2d } from '../../src/engine/ops/pool.js';
import { sum } from '../../src/engine/ops/reduce.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { type ChromeTrace, chromeTrace } from '../../src/engine/program/chromeTrace.js';
import { profile, runProfiled } from '../../src/engine/program/profile.js';
import { Parameter, Tensor, tensor } from '../../src/engine/tensor.js';
import { openNodeDevice } from '../../src/node/device.js';
import { UNet } from '../../src/unet/model.js';
import { gpuLikeDevice, testDevice } from '../support/device.js';
import { relativeError } from '../support/kernelRun.js';

function ramp(length: number, from = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => from + i);
}

/** Counts the calls of GPUDevice's and its queue's methods from now on, until `stop`. */
function counting(device: Device): { readonly calls: Map<string, number>; stop(): void } {
  const calls = new Map<string, number>();
  const undo: (() => void)[] = [];
  const wrap = (target: object, name: string) => {
    const own = (target as Record<string, (...args: unknown[]) => unknown>)[name];
    if (!own) throw new Error(`no method ${name}`);
    Object.defineProperty(target, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return own.apply(target, args);
      },
    });
    undo.push(() => {
      delete (target as Record<string, unknown>)[name];
    });
  };
  for (const name of [
    'createBuffer',
    'createBindGroup',
    'createBindGroupLayout',
    'createPipelineLayout',
    'createComputePipeline',
    'createComputePipelineAsync',
    'createShaderModule',
    'createCommandEncoder',
  ])
    wrap(device.gpu, name);
  wrap(device.gpu.queue, 'submit');
  wrap(device.gpu.queue, 'writeBuffer');
  return {
    calls,
    stop() {
      for (const back of undo) back();
    },
  };
}

/** A program that changes a parameter: w -= lr * x, and gives out the loss sum(w x) before. */
async function stepping(device: Device) {
  const w = new Parameter([4], ramp(4, 1), 'w');
  const sgd = new SGD([w], { momentum: false });
  const program = await compile(device, { x: [4] }, ({ x }) => {
    const loss = sum(w.mul(x));
    sgd.update(grad(loss, [w]));
    return { loss };
  });
  return { w, program };
}

describe('a running step', () => {
  it('creates no buffer, bind group or pipeline, and is one submit', async () => {
    const device = await testDevice();
    const { program } = await stepping(device);
    await program.run({ x: ramp(4) }, { lr: 0.1 });
    const { calls, stop } = counting(device);
    for (let i = 0; i < 4; i++) await program.run({ x: ramp(4) }, { lr: 0.1 });
    stop();
    expect(Object.fromEntries(calls)).toEqual({ createCommandEncoder: 4, submit: 4, writeBuffer: 8 });
    program.destroy();
  });

  it('is submitted when run() returns, so that its input may change at once', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [4] }, ({ x }) => ({ y: x.mul(2) }));
    const x = ramp(4);
    const running = program.run({ x });
    x.fill(9);
    expect([...(await running).y.data]).toEqual([0, 2, 4, 6]);
    program.destroy();
  });

  it('gives in flight what it gives one by one, however many there are', async () => {
    const device = await testDevice();
    const lrs = Array.from({ length: 9 }, (_, i) => 0.01 * (i + 1));
    const one = await stepping(device);
    const alone: number[] = [];
    for (const lr of lrs) alone.push((await one.program.run({ x: ramp(4) }, { lr })).loss.item());
    const all = await stepping(device);
    const together = await Promise.all(lrs.map((lr) => all.program.run({ x: ramp(4) }, { lr })));
    expect(together.map(({ loss }) => loss.item())).toEqual(alone);
    expect(new Set(alone).size).toBe(9);
    // A run started when a place has just become free goes behind those that wait.
    const queued = await stepping(device);
    const started = lrs.slice(0, 5).map((lr) => queued.program.run({ x: ramp(4) }, { lr }));
    await started[0];
    for (const lr of lrs.slice(5)) started.push(queued.program.run({ x: ramp(4) }, { lr }));
    expect((await Promise.all(started)).map(({ loss }) => loss.item())).toEqual(alone);
    for (const { program } of [one, all, queued]) program.destroy();
  });

  it('goes on after wrong calls, which take no place for results', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [4] }, ({ x }) => ({ y: x.mul(2) }));
    for (let i = 0; i < 5; i++) await expect(program.run({ x: ramp(3) })).rejects.toThrow('3 values');
    expect([...(await program.run({ x: ramp(4) })).y.data]).toEqual([0, 2, 4, 6]);
    program.destroy();
  });

  it('reads back only what is asked for', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [4] }, ({ x }) => ({ a: x.mul(2), b: sum(x) }));
    expect(Object.keys(await program.run({ x: ramp(4) }, {}, { fetch: ['b'] }))).toEqual(['b']);
    expect(await program.run({ x: ramp(4) }, {}, { fetch: [] })).toEqual({});
    const { a, b } = await program.run({ x: ramp(4) });
    expect([[...a.data], b.item()]).toEqual([[0, 2, 4, 6], 6]);
    expect(() => a.item()).toThrow('item: [4] is not a single value.');
    program.destroy();
  });

  it('takes bytes of any length, and views into larger arrays', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [3], b: { shape: [5], dtype: 'u8' } }, ({ x, b }) => ({
      y: x.neg(),
      b,
    }));
    const bytes = Uint8Array.from([7, 1, 2, 3, 4, 5, 7]).subarray(1, 6);
    const { y, b } = await program.run({ x: ramp(5).subarray(1, 4), b: bytes });
    expect([...y.data]).toEqual([-1, -2, -3]);
    expect([...b.data]).toEqual([1, 2, 3, 4, 5]);
    program.destroy();
  });

  it('draws dropout from seed and step, and counts steps itself', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [64] }, ({ x }) => ({
      y: dropout(x, 0.5, { training: true, stream: 0 }),
    }));
    const ones = new Float32Array(64).fill(1);
    const draw = async (scalars?: Record<string, number>) =>
      (await program.run({ x: ones }, scalars)).y.data.join();
    const [first, second] = [await draw(), await draw()];
    expect(second).not.toBe(first);
    expect(await draw({ step: 0 })).toBe(first);
    expect(await draw({ step: 1, seed: 0 })).toBe(second);
    expect(await draw({ step: 0, seed: 1 })).not.toBe(first);
    program.destroy();
  });
});

describe('wrong inputs are told', () => {
  const open = async () =>
    compile(await testDevice(), { x: [2, 2], b: { shape: [5], dtype: 'u8' } }, ({ x, b }) => ({
      x: x.neg(),
      b,
    }));

  it.each([
    ['a missing one', { b: new Uint8Array(5) }, 'run: input "x" [2, 2] is missing.'],
    [
      'too few values',
      { x: ramp(3), b: new Uint8Array(5) },
      'run: input "x" has 3 values, but [2, 2] needs 4.',
    ],
    [
      'another type',
      { x: new Uint32Array(4), b: new Uint8Array(5) },
      'run: input "x" must be a Float32Array.',
    ],
    [
      'a few bytes too many',
      { x: ramp(4), b: new Uint8Array(8) },
      'run: input "b" has 8 values, but [5] needs 5.',
    ],
  ])('%s', async (_what, inputs, message) => {
    const program = await open();
    await expect(program.run(inputs as unknown as { x: Float32Array; b: Uint8Array })).rejects.toThrow(
      message,
    );
    program.destroy();
  });

  it('a scalar that is not given', async () => {
    const { program } = await stepping(await testDevice());
    await expect(program.run({ x: ramp(4) })).rejects.toThrow(
      'run: this program reads the scalar "lr"; give it in the second argument.',
    );
    program.destroy();
  });

  it('an input in evaluate(), which has no values for it', async () => {
    const device = await testDevice();
    await expect(evaluate(device, Tensor.input('x', [2]).neg())).rejects.toThrow(
      'evaluate: the input "x" has no value here; use compile().',
    );
  });
});

describe('profile()', () => {
  it('tells the time of each dispatch, and is a step like any other', async () => {
    const device = await testDevice();
    const [a, b] = [await stepping(device), await stepping(device)];
    await a.program.run({ x: ramp(4) }, { lr: 0.1 });
    const times = await profile(b.program, { x: ramp(4) }, { lr: 0.1 });
    expect(times.map(({ label }) => label)).toEqual(b.program.plan.steps.map(({ label }) => label));
    for (const { milliseconds, kernel } of times) {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      expect(kernel).toMatch(/\w+\/\w+/);
    }
    const profiled = await runProfiled(b.program, { x: ramp(4) }, { lr: 0.1 });
    expect(profiled.values).toEqual(await a.program.run({ x: ramp(4) }, { lr: 0.1 }));
    const next = { x: ramp(4) };
    expect((await b.program.run(next, { lr: 0.1 })).loss.item()).toBe(
      (await a.program.run(next, { lr: 0.1 })).loss.item(),
    );
    a.program.destroy();
    b.program.destroy();
  });
});

describe('chromeTrace()', () => {
  it('has every dispatch of the plan, one after the other, with its work', async () => {
    const device = await testDevice();
    const { program } = await stepping(device);
    const { steps, values } = await runProfiled(program, { x: ramp(4) }, { lr: 0.1 });
    expect(Number.isFinite(values.loss.item())).toBe(true);
    const text = JSON.stringify(chromeTrace('a step', steps, { adapter: device.name }));
    const { traceEvents, otherData } = JSON.parse(text) as ChromeTrace;
    expect(otherData).toEqual({ adapter: device.name });
    const [process, thread, ...events] = traceEvents;
    expect(process).toMatchObject({ ph: 'M', name: 'process_name', args: { name: 'a step' } });
    expect(thread).toMatchObject({ ph: 'M', name: 'thread_name' });
    const { plan } = program;
    expect(events.map(({ name, args }) => [name, args])).toEqual(
      plan.steps.map(({ shader, label, variant, bytes, flops }, dispatch) => [
        shader.name,
        {
          op: label,
          variant,
          dispatch,
          GFLOP: Number((flops / 1e9).toPrecision(6)),
          bytes,
          'GFLOP/s': expect.any(Number),
          'GB/s': expect.any(Number),
        },
      ]),
    );
    let end = 0;
    for (const event of events) {
      if (event.ph !== 'X') throw new Error('a dispatch is a complete event');
      // Rounded to six digits, so that ends and starts may differ by less than a millionth.
      expect(event.ts).toBeGreaterThanOrEqual(end * (1 - 1e-5) - 1);
      expect(event.dur).toBeGreaterThanOrEqual(0);
      end = event.ts + event.dur;
    }
    program.destroy();
  });
});

describe('destroy()', () => {
  it('frees every buffer the program made, once, and refuses to run', async () => {
    const device = await testDevice();
    const made: GPUBuffer[] = [];
    const own = device.gpu.createBuffer;
    Object.defineProperty(device.gpu, 'createBuffer', {
      configurable: true,
      value: (d: GPUBufferDescriptor) => {
        const buffer = own.call(device.gpu, d);
        made.push(buffer);
        return buffer;
      },
    });
    const program = await compile(device, { x: [4] }, ({ x }) => ({ y: sum(x.mul(3)) }));
    delete (device.gpu as Partial<GPUDevice>).createBuffer;
    const destroyed = new Set<GPUBuffer>();
    for (const buffer of made) {
      const free = buffer.destroy;
      Object.defineProperty(buffer, 'destroy', {
        value: () => {
          expect(destroyed.has(buffer)).toBe(false);
          destroyed.add(buffer);
          return free.call(buffer);
        },
      });
    }
    program.destroy();
    program.destroy();
    expect(made.length).toBeGreaterThan(3);
    expect(destroyed.size).toBe(made.length);
    await expect(program.run({ x: ramp(4) })).rejects.toThrow('run: this program was destroyed.');
    await device.idle();
  });

  it('is the reason that runs give which were not through', async () => {
    const device = await testDevice();
    const program = await compile(device, { x: [4] }, ({ x }) => ({ y: sum(x.mul(3)) }));
    const runs = Array.from({ length: 5 }, () => program.run({ x: ramp(4) }));
    program.destroy();
    for (const { status, ...rest } of await Promise.allSettled(runs)) {
      expect([status, rest]).toEqual([
        'rejected',
        { reason: new ShaderGradError('run: this program was destroyed.') },
      ]);
    }
    await device.idle();
  });
});

describe('a shader that is wrong', () => {
  it('is told with line, column and the source around them', async () => {
    const device = await testDevice();
    const bogus: Op<object> = {
      name: 'bogus',
      inputLayout: 'any',
      outputLayout: 'any',
      lower: ({ inputs: [x], output }, _ctx: Lowering) => [
        {
          shader: {
            name: 'test/bogus',
            code: '// a comment\n@compute @workgroup_size(1)\nfn main() {\n  let a: f32 = B;\n}\n',
          },
          constants: { N: 4 },
          bindings: [
            { at: 0, operand: x as NonNullable<typeof x>, access: 'read' },
            { at: 1, operand: output, access: 'write' },
          ],
          workgroups: [1, 1, 1],
          variant: '',
          flops: 0,
          bytes: 0,
        },
      ],
    };
    const y = Tensor.of(bogus, [tensor([1, 2])], [2], {});
    const error = await evaluate(device, y).then(
      () => null,
      (e: unknown) => e as Error,
    );
    // One line of constants stands before the shader's own.
    expect(error?.message).toMatch(/^test\/bogus: line 5, column 16: /);
    expect(error?.message).toContain("unresolved value 'B'");
    expect(error?.message).toMatch(/>\s+5\s+let a: f32 = B;/);
    expect(error?.message).toMatch(/ {2,}2 \/\/ a comment/);
    expect((await evaluate(device, tensor([1, 2]).neg())).data[1]).toBe(-2);
  });
});

describe('evaluate()', () => {
  it('uses a program again for other constants', async () => {
    const device = await testDevice();
    const f = (values: number[]) => sum(tensor(values).square().add(0.5));
    expect((await evaluate(device, f([1, 2]))).item()).toBe(6);
    const { calls, stop } = counting(device);
    expect((await evaluate(device, f([3, 4]))).item()).toBe(26);
    stop();
    expect(calls.get('createBuffer')).toBeUndefined();
    expect(calls.get('submit')).toBe(1);
  });

  it('tells apart attributes that JSON does not', async () => {
    const device = await testDevice();
    const padded = async (value: number) => (await evaluate(device, pad(tensor([1]), [0, 1], value))).data[1];
    expect(await padded(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(await padded(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
    expect(await padded(Number.NaN)).toBeNaN();
    expect(Object.is(await padded(0), 0)).toBe(true);
    expect(Object.is(await padded(-0), -0)).toBe(true);
  });

  it('keeps a program while it is used, however many others come', async () => {
    const device = await testDevice();
    const values = await Promise.all(
      Array.from({ length: 80 }, (_, i) => evaluate(device, Tensor.full([1 + i], i).reshape(-1, 1))),
    );
    values.forEach((value, i) => {
      expect(value.shape).toEqual([1 + i, 1]);
      expect(value.data[i]).toBe(i);
    });
  });

  it('gives the same with and without fusing, dropout included', async () => {
    const device = await testDevice();
    const x = tensor(
      ramp(2 * 3 * 4 * 4).map((v) => Math.sin(v)),
      [2, 3, 4, 4],
    );
    const w = tensor(
      ramp(2 * 27).map((v) => Math.cos(v)),
      [2, 3, 3, 3],
    );
    const build = () => {
      const y = dropout(conv2d(x, w, null, { padding: 1 }).relu(), 0.4, { training: true, stream: 3 });
      const [gx, gw] = grad(sum(y.square()), [x, w]);
      return [y, gx, gw] as const;
    };
    const scalars = { seed: 5, step: 7 };
    const fused = await evaluate(device, build(), scalars);
    const plain = await evaluate(device, build(), scalars, { fuse: false });
    fused.forEach((value, i) => {
      expect([...value.data]).toEqual([...(plain[i]?.data ?? [])]);
    });
    expect(fused[0].data.filter((v) => v === 0).length).toBeGreaterThan(20);
  });

  it("gives a U-Net the same gradients, and where a ReLU's result lies in a concat too", async () => {
    // Where convolutions do the gradients of ReLUs.
    const device = await gpuLikeDevice();
    const model = new UNet({ inChannels: 3, outChannels: 1, depth: 3, baseChannels: 4, dropout: 0.3 });
    const x = tensor(
      ramp(2 * 3 * 12 * 20).map((v) => Math.sin(v)),
      [2, 3, 12, 20],
    );
    const weight = tensor(
      ramp(3 * 3 * 9).map((v) => Math.cos(v)),
      [3, 3, 3, 3],
    );
    const build = () => {
      const p = model.forward(x, { training: true });
      // What is joined here has another reader, whose gradient ends at the part of the concat.
      const part = conv2d(x, weight, null, { padding: 1 }).relu();
      const joined = cat([x, part], 1);
      // And what is pooled comes from what has another reader.
      const z = conv2d(x, weight, null, { padding: 1 });
      const loss = sum(p.square())
        .add(sum(conv2d(part, weight, null, { padding: 1 }).square()))
        .add(sum(maxPool2d(z.relu(), 2).square()))
        .add(sum(z.mul(0.5).square()));
      return [joined, ...grad(loss, [...model.parameters(), x])] as const;
    };
    const scalars = { seed: 5, step: 7 };
    const [fused, plain] = [
      await evaluate(device, build(), scalars),
      await evaluate(device, build(), scalars, { fuse: false }),
    ];
    fused.forEach((value, i) => {
      // A sigmoid in an epilogue rounds otherwise than one alone.
      expect(relativeError(value.data, plain[i]?.data ?? []), `${i}`).toBeLessThan(1e-6);
    });
    const { steps } = plan(device.facts, {}, () => ({ g: build().at(-1) as Tensor, joined: build()[0] }));
    expect(steps.filter(({ constants }) => Number(constants.SLOPE_GAP) > 0)).toHaveLength(1);
    expect(steps.filter(({ op, variant }) => op === 'slope' && variant.startsWith('reluGrad'))).toEqual([]);
  });
});

describe('a device that is lost', () => {
  const opened: Device[] = [];
  afterAll(async () => {
    for (const device of opened) await device.close().catch(() => {});
  });

  it('rejects the waiting run, those behind it and later ones, with the reason', async () => {
    const device = await openNodeDevice({ onError: () => {} });
    opened.push(device);
    const program = await compile(device, { x: [4] }, ({ x }) => ({ y: x.mul(3) }));
    const runs = Array.from({ length: 5 }, () => program.run({ x: ramp(4) }));
    const outcomes = Promise.allSettled(runs);
    device.gpu.destroy();
    const reasons = (await outcomes).map((o) =>
      o.status === 'rejected' ? (o.reason as Error).message : 'done',
    );
    expect(reasons).toEqual(
      Array(5).fill(expect.stringMatching(/^The GPU device .* was lost: .*Open a new one/)),
    );
    await expect(program.run({ x: ramp(4) })).rejects.toThrow('was lost');
    await expect(compile(device, { x: [4] }, ({ x }) => ({ y: x.exp() }))).rejects.toThrow('was lost');
  });
});
