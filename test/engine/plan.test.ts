import { describe, expect, it } from 'vitest';
import { plan } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import type { DeviceFacts } from '../../src/engine/kernel.js';
import { conv2dVariants } from '../../src/engine/kernels/conv2dVariants.js';
import { cat } from '../../src/engine/ops/cat.js';
import { conv2d } from '../../src/engine/ops/conv.js';
import { dropout } from '../../src/engine/ops/dropout.js';
import { pad } from '../../src/engine/ops/pad.js';
import { maxPool2d } from '../../src/engine/ops/pool.js';
import { sum } from '../../src/engine/ops/reduce.js';
import { slope } from '../../src/engine/ops/slopes.js';
import { Adam } from '../../src/engine/optim/adam.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { makePlan, type PlanOptions } from '../../src/engine/plan/plan.js';
import { printPlan } from '../../src/engine/plan/print.js';
import type { Plan } from '../../src/engine/plan/types.js';
import { Parameter, Tensor } from '../../src/engine/tensor.js';
import { everyKernel } from '../../src/everyKernel.js';
import { segmentationLoss } from '../../src/unet/loss.js';
import { referenceConfig, UNet, type UNetConfig } from '../../src/unet/model.js';
import { facts } from './facts.js';

/** Ops of the dispatches, in order. */
function ops(made: Plan): string[] {
  return made.steps.map((step) => step.op);
}

/** Kernels of one launch each, so that a test can count launches whatever the plan's own choice would be. */
const direct = { conv2d: 'direct', conv2dInputGrad: 'direct', conv2dWeightGrad: 'direct' };

function planOf(
  outputs: Readonly<Record<string, Tensor>>,
  options: PlanOptions = {},
  device: DeviceFacts = facts(),
): Plan {
  return makePlan(new Map(Object.entries(outputs)), [], device, {
    force: direct,
    kernels: everyKernel,
    ...options,
  });
}

function parameter(...shape: number[]): Parameter {
  return new Parameter(shape, null);
}

/** Buffers that a dispatch reads and, through another binding, writes. */
function hazards(made: Plan): string[] {
  return made.steps.flatMap(({ label, bindings }) => {
    const written = bindings.filter(({ access }) => access === 'write' || access === 'read_write');
    return written
      .filter((w) => bindings.some((b) => b !== w && b.buffer === w.buffer && b.access === 'read'))
      .map(({ buffer }) => `${label}: ${buffer}`);
  });
}

interface Net {
  readonly model: UNet;
  readonly config: UNetConfig;
}

function net(config: Partial<UNetConfig>): Net {
  const model = new UNet({ ...config, seed: 1 });
  return { model, config: model.config };
}

/** A training step of a U-Net on ready images and masks. */
function trainingPlan(
  { model, config }: Net,
  batch: number,
  size: number,
  device = facts(),
  options: PlanOptions = {},
): Plan {
  const optimizer = new SGD(model.parameters());
  return plan(
    device,
    { image: [batch, config.inChannels, size, size], mask: [batch, config.outChannels, size, size] },
    ({ image, mask }) => {
      const logits = model.logits(image, { training: true });
      const losses = segmentationLoss(logits, logits.sigmoid(), mask, {
        diceWeight: 0.3,
        crossEntropy: 'probabilities',
      });
      optimizer.update(grad(losses.loss, model.parameters()));
      return { ...losses };
    },
    options,
  );
}

const tiny = () => net({ depth: 2, baseChannels: 4, dropout: 0.5 });

describe('a plan', () => {
  it('is the same for the same graph', () => {
    const bare = (made: Plan) => ({
      ...made,
      buffers: made.buffers.map(({ id, bytes, role }) => ({ id, bytes, role })),
    });
    expect(bare(trainingPlan(tiny(), 2, 16))).toEqual(bare(trainingPlan(tiny(), 2, 16)));
  });

  it('computes a shared sub-expression once', () => {
    const x = Tensor.input('x', [8]);
    const made = planOf({ a: x.exp().mul(2), b: x.exp().add(1), c: x.exp().mul(2) });
    expect(ops(made)).toEqual(['unary', 'unary', 'unary']);
    expect(made.outputs.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(made.outputs[0]?.buffer).toBe(made.outputs[2]?.buffer);
  });

  it('keeps apart what differs only in numbers that JSON has no words for', () => {
    const x = Tensor.input('x', [8]);
    const made = planOf({
      a: pad(x, [1, 1], Number.POSITIVE_INFINITY),
      b: pad(x, [1, 1], Number.NEGATIVE_INFINITY),
      c: pad(x, [1, 1], Number.NaN),
      d: pad(x, [1, 1], -0),
      e: pad(x, [1, 1], 0),
    });
    expect(made.steps).toHaveLength(5);
  });

  it('leaves out what nothing asks for', () => {
    const x = Tensor.input('x', [8]);
    sum(x.exp());
    expect(ops(planOf({ y: x.neg() }))).toEqual(['unary']);
    expect(planOf({ y: x }).steps).toEqual([]);
  });

  it('prints each dispatch and the memory', () => {
    const text = printPlan(planOf({ y: sum(Tensor.input('x', [4, 8]).exp()) }));
    expect(text).toContain('unary [4, 8]');
    expect(text).toMatch(/dispatches, .* GFLOP/);
    expect(text).toMatch(/transient memory .* least possible .* times/);
  });
});

describe('fusing', () => {
  const x = Tensor.input('x', [2, 3, 8, 8]);
  const w = parameter(4, 3, 3, 3);
  const b = parameter(4);
  const conv = () => conv2d(x, w, b, { padding: 1 });

  it('makes one launch of convolution, ReLU and dropout', () => {
    const y = dropout(conv().relu(), 0.5, { training: true, stream: 0 });
    const made = planOf({ y });
    expect(ops(made)).toEqual(['conv2d']);
    expect(made.steps[0]?.variant).toMatch(/relu.*dropout/);
    expect(ops(planOf({ y }, { fuse: false }))).toEqual(['conv2d', 'unary', 'dropout']);
  });

  it('makes one launch of convolution and sigmoid, and of convolution and dropout', () => {
    expect(ops(planOf({ y: conv().sigmoid() }))).toEqual(['conv2d']);
    expect(ops(planOf({ y: dropout(conv(), 0.5, { training: true, stream: 0 }) }))).toEqual(['conv2d']);
  });

  it('leaves what another reads too, or what is given out', () => {
    const y = conv();
    expect(ops(planOf({ a: y.relu(), b: y.exp() }))).toEqual(['conv2d', 'unary', 'unary']);
    expect(ops(planOf({ a: y.relu(), y }))).toEqual(['conv2d', 'unary']);
    expect(ops(planOf({ y: conv().relu().sigmoid() }))).toEqual(['conv2d', 'unary']);
    const dropped = dropout(conv(), 0.5, { training: true, stream: 0 });
    expect(ops(planOf({ y: dropped.relu() }))).toEqual(['conv2d', 'unary']);
  });

  it('drops the mask from the gradient of ReLU and dropout', () => {
    const y = dropout(conv().relu(), 0.5, { training: true, stream: 0 });
    const loss = sum(y.mul(Tensor.input('r', y.shape)));
    const [gb] = grad(loss, [b]);
    const made = planOf({ loss, gb });
    expect(ops(made).filter((op) => op === 'dropout')).toEqual([]);
    const alone = planOf({ loss, gb }, { fuse: false });
    expect(ops(alone).filter((op) => op === 'dropout')).toHaveLength(2);
    expect(made.steps.length).toBeLessThan(alone.steps.length - 2);
  });

  it('keeps the mask where the streams differ, or ReLU has no such dropout', () => {
    const relu = conv().relu();
    const y = dropout(relu, 0.5, { training: true, stream: 0 });
    const other = dropout(Tensor.input('g', y.shape), 0.5, { training: true, stream: 1 });
    const made = planOf({ y, q: slope('reluGrad', other, relu) });
    expect(ops(made).filter((op) => op === 'dropout')).toHaveLength(2);
  });

  it('adds the gradient of a skip connection in the kernel of the pooling gradient', () => {
    const skip = conv();
    const pooled = maxPool2d(skip, 2);
    const loss = sum(pooled.square()).add(sum(skip.square()));
    const [gw] = grad(loss, [w]);
    const fused = ops(planOf({ gw }));
    const alone = ops(planOf({ gw }, { fuse: false }));
    expect(fused.filter((op) => op === 'maxPool2dGrad')).toHaveLength(1);
    expect(fused).toHaveLength(alone.length - 1);
  });

  it("does a ReLU's gradient in the kernels of the gradients before it", () => {
    const second = conv2d(
      dropout(conv().relu(), 0.5, { training: true, stream: 0 }),
      parameter(4, 4, 3, 3),
      null,
      {
        padding: 1,
      },
    ).relu();
    const pooled = maxPool2d(second, 2);
    const loss = sum(pooled.square()).add(sum(second.square()));
    const [gw] = grad(loss, [w]);
    const made = planOf({ gw });
    expect(ops(made)).not.toContain('slope');
    const gated = made.steps.filter(({ variant }) => variant.includes('reluGrad'));
    expect(gated.map(({ op }) => op)).toEqual(['maxPool2dGrad', 'conv2dInputGrad']);
    expect(gated[1]?.constants.SLOPE_FACTOR).toEqual({ type: 'f32', value: 2 });
    expect(ops(planOf({ gw }, { fuse: false })).filter((op) => op === 'slope')).toHaveLength(2);
    expect(hazards(made)).toEqual([]);
    // On the CPU in that of the pooling alone, which is no other kernel for it.
    const onCpu = planOf({ gw }, {}, { ...facts(), software: true });
    expect(onCpu.steps.filter(({ variant }) => variant.includes('reluGrad')).map(({ op }) => op)).toEqual([
      'maxPool2dGrad',
      'slope',
    ]);
  });

  it("adds nothing to a pooling's gradient after a ReLU's", () => {
    const z = conv();
    const loss = sum(maxPool2d(z.relu(), 2).square()).add(sum(z.exp()));
    const [gw] = grad(loss, [w]);
    const made = planOf({ gw });
    const pooling = made.steps.find(({ op }) => op === 'maxPool2dGrad');
    expect(pooling?.variant).toContain('reluGrad');
    expect(pooling?.variant).not.toContain('add');
    expect(ops(made).filter((op) => op === 'binary').length).toBeGreaterThan(0);
  });

  it("leaves a ReLU's gradient whose gradient is read elsewhere, or is of another shape or type", () => {
    const [y, relu] = [conv(), conv().exp().relu()];
    expect(ops(planOf({ y, q: slope('reluGrad', y, relu) }))).toContain('slope');
    const row = Tensor.input('row', [1, 1, 1, 8]);
    expect(ops(planOf({ q: slope('reluGrad', conv(), row) }))).toContain('slope');
    expect(ops(planOf({ q: slope('reluGrad', relu, conv()) }))).toContain('slope');
    expect(ops(planOf({ q: slope('reluGrad', conv().relu(), Tensor.input('t', y.shape)) }))).toContain(
      'slope',
    );
  });
});

describe('placement', () => {
  const outer = { kernel: parameter(4, 4, 3, 3) };
  const conv = (x: Tensor) => conv2d(x, outer.kernel, null, { padding: 1 });
  const x = Tensor.input('x', [2, 4, 8, 8]);
  const copies = (made: Plan) => made.steps.filter(({ shader }) => shader.name === 'movement/copy').length;

  it('writes parts of a concat in place', () => {
    const made = planOf({ y: conv(cat([conv(x), conv(x.neg())], 1).slice(1, 0, 4)) });
    expect(copies(made)).toBe(0);
  });

  it('copies leaves, what is in a concat twice, and what is read where it would be written', () => {
    const a = conv(x);
    expect(copies(planOf({ y: cat([x, x], 1) }))).toBe(2);
    expect(copies(planOf({ y: cat([a, a], 1) }))).toBe(2);
    expect(copies(planOf({ y: cat([a, a.exp()], 1) }))).toBe(1);
    expect(copies(planOf({ y: cat([a, a.slice(1, 0, 2)], 1) }))).toBe(2);
  });

  it('copies nothing for a concat in a concat', () => {
    const made = planOf({ y: cat([cat([conv(x), conv(x.neg())], 1), conv(x.exp())], 1) });
    expect(copies(made)).toBe(0);
  });

  it('takes slices, reshapes, transposes and expansions as views', () => {
    const y = conv(x);
    const made = planOf({
      a: y.slice(1, 1, 3).exp(),
      b: y.reshape(2, -1).exp(),
      c: y.transpose(0, 1).exp(),
      d: y.slice(0, 0, 1).expand([3, 4, 8, 8]).exp(),
    });
    expect(ops(made)).toEqual(['conv2d', 'unary', 'unary', 'unary', 'unary']);
  });

  it('needs no copy in a U-Net, in training or evaluation', () => {
    for (const depth of [2, 3]) {
      const small = net({ depth, baseChannels: 4, dropout: 0.5 });
      const made = trainingPlan(small, 2, 16, facts(), { force: direct });
      expect(copies(made)).toBe(0);
      expect(ops(made).filter((op) => op === 'cat')).toEqual([]);
      const forward = plan(
        facts(),
        { image: [1, 3, 16, 16] },
        ({ image }) => ({ mask: small.model.forward(image) }),
        { force: direct },
      );
      expect(copies(forward)).toBe(0);
    }
  });

  it('binds no buffer for reading and for writing in one dispatch', () => {
    expect(hazards(trainingPlan(tiny(), 2, 16))).toEqual([]);
    expect(hazards(trainingPlan(tiny(), 2, 16, facts(), { fuse: false }))).toEqual([]);
  });
});

describe('an optimiser in a plan', () => {
  function step(optimizer: 'sgd' | 'adam', shapes: readonly number[][], limits = {}): Plan {
    const parameters = shapes.map((shape) => parameter(...shape));
    const made = optimizer === 'sgd' ? new SGD(parameters) : new Adam(parameters);
    return plan(facts(limits), {}, () => {
      const loss = parameters.map((p) => sum(p.square())).reduce((a, b) => a.add(b));
      made.update(grad(loss, parameters));
      return { loss };
    });
  }
  const shapes = [[3, 5], [7], [4, 3, 3, 3], [1], [64]];

  it('is one launch for all parameters, whatever their sizes', () => {
    for (const name of ['sgd', 'adam'] as const) {
      const made = step(name, shapes);
      expect(ops(made).filter((op) => op === name)).toHaveLength(1);
      expect(ops(made).filter((op) => op === 'copy')).toEqual([]);
    }
    expect(ops(trainingPlan(tiny(), 2, 16)).filter((op) => op === 'sgd')).toHaveLength(1);
  });

  it('is one launch for each buffer where the parameters need several', () => {
    const made = step('sgd', [[64], [64], [64], [64], [64]], { maxStorageBufferBindingSize: 1024 });
    expect(ops(made).filter((op) => op === 'sgd')).toHaveLength(3);
    expect(hazards(made)).toEqual([]);
  });

  it('copies gradients that are one tensor for two parameters', () => {
    const [p, q] = [parameter(16), parameter(16)];
    const sgd = new SGD([p, q]);
    const made = plan(facts(), {}, () => {
      const loss = sum(p.add(q).square());
      sgd.update(grad(loss, [p, q]));
      return { loss };
    });
    expect(hazards(made)).toEqual([]);
    expect(ops(made).filter((op) => op === 'sgd')).toHaveLength(1);
  });

  it('takes its learning rate when it runs', () => {
    expect(step('sgd', shapes).scalars).toEqual(expect.arrayContaining(['lr', 'momentum']));
    expect(step('adam', shapes).scalars).toContain('lr');
  });
});

describe('a limit that is too small is told with need and limit', () => {
  it('of a binding', () => {
    const big = () =>
      planOf(
        { y: Tensor.input('x', [1, 4, 64, 64]).exp() },
        {},
        facts({ maxStorageBufferBindingSize: 65_535 }),
      );
    expect(big).toThrow(
      /unary \[1, 4, 64, 64\]: needs a binding of 65536 bytes, but this adapter allows 65535 \(maxStorageBufferBindingSize\)/,
    );
  });

  it('of a parameter', () => {
    const w = parameter(128, 128);
    expect(() => planOf({ y: w.exp() }, {}, facts({ maxStorageBufferBindingSize: 1024 }))).toThrow(
      /needs a binding of 65536 bytes, but this adapter allows 1024/,
    );
  });

  it('of a buffer', () => {
    const big = () =>
      planOf({ y: Tensor.input('x', [1, 4, 64, 64]).exp() }, {}, facts({ maxBufferSize: 65_535 }));
    expect(big).toThrow(/needs a buffer of 65536 bytes, but this adapter allows 65535 \(maxBufferSize\)/);
  });

  it('of a grid', () => {
    const big = () =>
      planOf(
        { y: Tensor.input('x', [1, 4, 64, 64]).exp() },
        {},
        facts({ maxComputeWorkgroupsPerDimension: 3 }),
      );
    expect(big).toThrow(/needs \d+ workgroups in one dimension, but this adapter allows 3/);
  });

  it('of storage buffers', () => {
    const x = Tensor.input('x', [8]);
    expect(() => planOf({ y: x.exp() }, {}, facts({ maxStorageBuffersPerShaderStage: 1 }))).toThrow(
      /needs 2 storage buffers, but this adapter allows 1/,
    );
  });

  it('of the reference U-Net at batch 5 on a device of default limits', () => {
    expect(() => trainingPlan(reference(), 5, 256)).toThrow(
      /needs a binding of 167772160 bytes, but this adapter allows 134217728/,
    );
  });
});

describe('a forced variant', () => {
  const x = Tensor.input('x', [1, 4, 8, 8]);
  const w = parameter(4, 4, 3, 3);
  const y = conv2d(x, w, null, { padding: 1 });
  const [gw] = grad(sum(y.square()), [w]);

  it('is taken', () => {
    for (const name of conv2dVariants.forward) {
      let made: Plan;
      try {
        made = planOf({ y }, { force: { conv2d: name } });
      } catch (error) {
        expect((error as Error).message).toContain('cannot run this problem');
        continue;
      }
      expect(made.steps.some(({ variant }) => variant.startsWith(name))).toBe(true);
    }
    const made = planOf({ gw }, { force: { conv2d: 'direct', conv2dWeightGrad: 'direct' } });
    for (const step of made.steps.filter(({ op }) => op.startsWith('conv2d')))
      expect(step.variant).toMatch(/^direct/);
  });

  it('is refused with the names there are, if unknown', () => {
    expect(() => planOf({ y }, { force: { conv2d: 'winograd9' } })).toThrow(/no variant 'winograd9'.*direct/);
    expect(() => planOf({ gw }, { force: { conv2dWeightGrad: 'fast' } })).toThrow(
      /no variant 'fast'.*direct/,
    );
  });
});

let made: Net | undefined;
/** The reference's model; its 31 million initial values are drawn once. */
function reference(): Net {
  made ??= net(referenceConfig);
  return made;
}

describe('the memory and work of a training step', () => {
  const ample = facts({ maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 - 4 });

  it('of the small U-Net are close to the least possible', () => {
    const { memory } = trainingPlan(net({ depth: 4, baseChannels: 16, dropout: 0.2 }), 4, 128, ample);
    expect(memory.transient).toBeGreaterThanOrEqual(memory.least);
    expect(memory.transient / memory.least).toBeLessThanOrEqual(1.1);
  });

  it('of the reference are close to the least possible and as published', () => {
    const { model } = reference();
    expect(model.parameterCount()).toBe(31_031_745);
    const step = trainingPlan(reference(), 4, 256, ample);
    expect(step.memory.transient).toBeGreaterThanOrEqual(step.memory.least);
    expect(step.memory.transient / step.memory.least).toBeLessThanOrEqual(1.1);
    expect(Math.abs(step.flops / 1.156e12 - 1)).toBeLessThan(0.005);
    expect(step.memory.state).toBeGreaterThanOrEqual(2 * 4 * 31_031_745);
    expect(step.memory.state).toBeLessThan(2 * 4 * 31_031_745 * 1.001);
    expect(hazards(step)).toEqual([]);
    expect(ops(step).filter((op) => op === 'sgd')).toHaveLength(1);
  });

  it('of the reference fit a device of default limits at batch 4', () => {
    expect(trainingPlan(reference(), 4, 256).steps.length).toBeGreaterThan(100);
  });
});
