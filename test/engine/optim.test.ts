import { describe, expect, it } from 'vitest';
import { compile } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import { sum } from '../../src/engine/ops/reduce.js';
import { Adam } from '../../src/engine/optim/adam.js';
import { oneCycle } from '../../src/engine/optim/oneCycle.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { readParameters } from '../../src/engine/program/residence.js';
import { Parameter } from '../../src/engine/tensor.js';
import { goldenOptim } from '../golden/optim.js';
import { relativeError } from '../reference/array.js';
import { uniform } from '../reference/generator.js';
import { adamState, adamStep, type SgdState, sgdStep } from '../reference/optim.js';
import { testDevice } from '../support/device.js';

/** Sizes that leave gaps between parameters, and one that fills whole vectors. */
const SIZES = [5, 16, 1, 33];
const STEPS = 5;

/** A rate and a momentum for each step. */
const rates = Array.from({ length: STEPS }, (_, t) => ({ lr: 0.1 / (t + 1), momentum: 0.95 - 0.02 * t }));

interface Made {
  readonly optimizer: SGD | Adam;
  /** The same in float64, for parameter `i` at step `t`. */
  step(i: number, t: number, p: Float64Array, g: Float64Array): void;
}

/** Trains by sum(g * w) with given g, whose gradient for w is g itself, and compares all parameters after each step. */
async function follow(make: (parameters: readonly Parameter[]) => Made): Promise<void> {
  const device = await testDevice();
  const start = SIZES.map((size, i) => uniform(i, size, -1, 1));
  const parameters = start.map((values) => new Parameter([values.length], Float32Array.from(values)));
  const { optimizer, step } = make(parameters);
  const shapes = Object.fromEntries(SIZES.map((size, i) => [`g${i}`, [size]]));
  const program = await compile(device, shapes, (given) => {
    const loss = parameters.map((w, i) => sum(w.mul(given[`g${i}`] as Parameter))).reduce((a, b) => a.add(b));
    optimizer.update(grad(loss, parameters));
    return { loss };
  });
  for (let t = 0; t < STEPS; t++) {
    const gradients = SIZES.map((size, i) => uniform(100 + 10 * t + i, size, -1, 1));
    const inputs = Object.fromEntries(gradients.map((g, i) => [`g${i}`, Float32Array.from(g)]));
    await program.run(inputs, rates[t]);
    const values = await readParameters(parameters);
    gradients.forEach((g, i) => {
      const expected = start[i] as Float64Array;
      step(i, t, expected, g);
      expect(relativeError(values[i] ?? [], expected), `parameter ${i} after step ${t}`).toBeLessThan(2e-6);
    });
  }
  program.destroy();
}

describe('SGD against float64', () => {
  it.each([
    ['with momentum', {}],
    ['with dampening', { dampening: 0.3 }],
    ['with weight decay', { weightDecay: 0.2 }],
    ['of Nesterov', { nesterov: true, weightDecay: 0.1 }],
  ])('%s', (_what, options) =>
    follow((parameters) => {
      const states = parameters.map((): SgdState => ({}));
      return {
        optimizer: new SGD(parameters, options),
        step: (i, t, p, g) =>
          sgdStep(p, g, states[i] as SgdState, {
            ...options,
            ...(rates[t] as { lr: number; momentum: number }),
          }),
      };
    }));

  it.each([0, 0.2])('without momentum, weight decay %f', (weightDecay) =>
    follow((parameters) => ({
      optimizer: new SGD(parameters, { momentum: false, weightDecay }),
      step: (_i, t, p, g) => sgdStep(p, g, {}, { weightDecay, lr: rates[t]?.lr ?? 0 }),
    })));

  it('begins anew at step 0 and nowhere else', async () => {
    const device = await testDevice();
    const w = new Parameter([1], Float32Array.of(0));
    const sgd = new SGD([w]);
    const program = await compile(device, {}, () => {
      const loss = sum(w);
      sgd.update(grad(loss, [w]));
      return { loss };
    });
    const stepped = async (step: number) => {
      await program.run({}, { lr: 1, momentum: 0.5, step });
      return (await readParameters([w]))[0]?.[0];
    };
    expect(await stepped(0)).toBe(-1);
    expect(await stepped(1)).toBe(-2.5);
    expect(await stepped(0)).toBe(-3.5);
    expect(await stepped(7)).toBe(-5);
    program.destroy();
  });
});

describe('Adam against float64', () => {
  it.each([
    ['as it is', {}],
    ['with other betas', { betas: [0.7, 0.9] as const, eps: 1e-4 }],
    ['with weight decay', { weightDecay: 0.1 }],
    ['with decoupled weight decay', { weightDecay: 0.1, decoupled: true }],
  ])('%s', (_what, options) =>
    follow((parameters) => {
      const states = SIZES.map(adamState);
      return {
        optimizer: new Adam(parameters, options),
        step: (i, t, p, g) =>
          adamStep(p, g, states[i] as ReturnType<typeof adamState>, { ...options, lr: rates[t]?.lr ?? 0 }),
      };
    }));
});

describe('optimisers against PyTorch', () => {
  it.each(goldenOptim.optimisers)('$name $options', async ({ name, options, seed, size, after }) => {
    const device = await testDevice();
    const { lr, momentum = 0, dampening = 0, weight_decay: weightDecay = 0, nesterov = false } = options;
    const { betas = [0.9, 0.999], eps = 1e-8 } = options;
    const w = new Parameter([size], Float32Array.from(uniform(seed, size, -1, 1)));
    const optimizer =
      name === 'SGD'
        ? new SGD([w], { dampening, weightDecay, nesterov, momentum: momentum !== 0 })
        : new Adam([w], {
            betas: [betas[0] as number, betas[1] as number],
            eps,
            weightDecay,
            decoupled: name === 'AdamW',
          });
    const program = await compile(device, { g: [size] }, ({ g }) => {
      const loss = sum(w.mul(g));
      optimizer.update(grad(loss, [w]));
      return { loss };
    });
    for (const [t, expected] of after.entries()) {
      await program.run({ g: Float32Array.from(uniform(seed + t + 1, size, -1, 1)) }, { lr, momentum });
      const [values] = await readParameters([w]);
      expect(relativeError(values ?? [], expected), `after step ${t}`).toBeLessThan(5e-6);
    }
    program.destroy();
  });
});

describe('the one-cycle schedule', () => {
  it('has the published values at the reference’s 14,900 steps', () => {
    const at = oneCycle({ maxLr: 0.1, totalSteps: 14_900 });
    for (const [t, lr, momentum] of [
      [0, 0.004, 0.95],
      [745, 0.01043359, 0.94329834],
      [2235, 0.05201687, 0.89998243],
      [4469, 0.1, 0.85],
      [7450, 0.08116279, 0.86883729],
      [11175, 0.02829253, 0.92170775],
      [14155, 0.00125065, 0.94874974],
      [14899, 4e-7, 0.95],
    ] as const) {
      expect(at(t).lr).toBeCloseTo(lr, 8);
      expect(at(t).momentum).toBeCloseTo(momentum, 8);
    }
  });

  it.each(goldenOptim.schedules)('is PyTorch’s for $total steps', (one) => {
    const at = oneCycle({
      maxLr: one.max_lr,
      totalSteps: one.total,
      pctStart: one.pct_start,
      baseMomentum: one.base_momentum,
      maxMomentum: one.max_momentum,
      ...(one.div_factor === undefined ? {} : { divFactor: one.div_factor }),
      ...(one.final_div_factor === undefined ? {} : { finalDivFactor: one.final_div_factor }),
    });
    for (const [t, lr, momentum] of one.values) {
      expect(Math.abs(at(t).lr / lr - 1)).toBeLessThan(1e-11);
      expect(Math.abs(at(t).momentum / momentum - 1)).toBeLessThan(1e-11);
    }
  });

  it('is finite and in bounds even for a few steps', () => {
    for (let totalSteps = 1; totalSteps <= 8; totalSteps++) {
      const at = oneCycle({ maxLr: 0.1, totalSteps });
      for (let t = 0; t < totalSteps; t++) {
        expect(at(t).lr).toBeGreaterThanOrEqual(0);
        expect(at(t).lr).toBeLessThanOrEqual(0.1);
        expect(at(t).momentum).toBeGreaterThanOrEqual(0.85 - 1e-12);
        expect(at(t).momentum).toBeLessThanOrEqual(0.95 + 1e-12);
      }
    }
  });
});
