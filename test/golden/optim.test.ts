import { describe, expect, it } from 'vitest';
import { relativeError } from '../reference/array.js';
import { uniform } from '../reference/generator.js';
import { adamState, adamStep, oneCycle64, type SgdState, sgdStep } from '../reference/optim.js';
import { goldenOptim } from './optim.js';

describe('schedules and optimisers of the reference against PyTorch', () => {
  for (const one of goldenOptim.schedules) {
    it(`one cycle of ${one.total} steps`, () => {
      for (const [t, lr, momentum] of one.values) {
        const rates = oneCycle64(t, {
          totalSteps: one.total,
          maxLr: one.max_lr,
          pctStart: one.pct_start,
          baseMomentum: one.base_momentum,
          maxMomentum: one.max_momentum,
          divFactor: one.div_factor ?? 25,
          finalDivFactor: one.final_div_factor ?? 1e4,
        });
        expect(Math.abs(rates.lr / lr - 1)).toBeLessThan(1e-11);
        expect(Math.abs(rates.momentum / momentum - 1)).toBeLessThan(1e-11);
      }
    });
  }

  for (const { name, options, seed, size, after } of goldenOptim.optimisers) {
    it(`${name} ${JSON.stringify(options)}`, () => {
      const p = uniform(seed, size, -1, 1);
      const sgd: SgdState = {};
      const adam = adamState(size);
      const { lr, momentum = 0, dampening = 0, weight_decay, nesterov = false, betas = [0.9, 0.999], eps = 1e-8 } = options;
      after.forEach((expected, step) => {
        const g = uniform(seed + step + 1, size, -1, 1);
        if (name === 'SGD') sgdStep(p, g, sgd, { lr, momentum, dampening, weightDecay: weight_decay ?? 0, nesterov });
        else adamStep(p, g, adam, { lr, betas, eps, weightDecay: weight_decay ?? 0, decoupled: name === 'AdamW' });
        expect(relativeError(p, expected)).toBeLessThan(1e-12);
      });
    });
  }
});
