import { describe, expect, it } from 'vitest';
import { at } from '../reference/array.js';
import { oneCycle64, type SgdState, sgdStep } from '../reference/optim.js';
import { type Node, Tape } from '../reference/tape.js';
import { unet } from '../reference/unet.js';
import { goldenParameters, parameterShapes, training, trainingBatch } from './unet.js';

const { small, run, float64 } = training;

describe('the float64 reference against the PyTorch run', () => {
  it('has PyTorch\'s parameters, by name and shape', () => {
    const ours = [...parameterShapes(small)].map(([name, shape]) => ({ name, shape }));
    expect(ours).toEqual(float64.weights.map(({ name, shape }) => ({ name, shape })));
    const full = [...parameterShapes(training.full).values()];
    const count = full.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(training.fullForward.parameters);
    expect(count).toBe(31_031_745);
  });

  it('trains the small U-Net to the same losses and weights', () => {
    const weights = goldenParameters(small, run.weightSeed, run.gain);
    const states = new Map<string, SgdState>([...weights.keys()].map((name) => [name, {}]));
    for (let step = 0; step < run.steps; step++) {
      const expected = float64.steps[step];
      if (!expected) throw new Error(`no step ${step} is stored`);
      const tape = new Tape();
      const leaves = new Map([...weights].map(([name, value]) => [name, tape.leaf(value)]));
      const { image, mask } = trainingBatch(step);
      const p = unet(tape, tape.leaf(image), small.depth, (name) => leaves.get(name) as Node);
      const target = tape.leaf(mask);
      const bce = tape.call('binaryCrossEntropy', [p, target], {});
      const dice = tape.call('diceLoss', [p, target], {});
      const parts = [
        tape.call('unary', [bce], { fn: 'mulScalar', a: 0.7 }),
        tape.call('unary', [dice], { fn: 'mulScalar', a: 0.3 }),
      ];
      const loss = tape.call('binary', parts, { fn: 'add' });
      tape.backward(loss);
      expect(Math.abs(at(loss.value, 0) / expected.loss - 1)).toBeLessThan(1e-9);
      expect(Math.abs(at(bce.value, 0) / expected.bce - 1)).toBeLessThan(1e-9);
      expect(Math.abs(at(dice.value, 0) / expected.dice - 1)).toBeLessThan(1e-9);
      const rates = oneCycle64(step, {
        totalSteps: run.steps,
        maxLr: 0.1,
        pctStart: 0.3,
        baseMomentum: 0.85,
        maxMomentum: 0.95,
      });
      expect(rates.lr).toBeCloseTo(expected.lr, 12);
      expect(rates.momentum).toBeCloseTo(expected.momentum, 12);
      for (const [name, value] of weights) {
        const leaf = leaves.get(name) as Node;
        sgdStep(value.data, leaf.gradient.data, states.get(name) as SgdState, rates);
      }
    }
    for (const { name, sum, norm } of float64.weights) {
      const data = weights.get(name)?.data ?? new Float64Array();
      expect(Math.abs(data.reduce((a, b) => a + b, 0) - sum)).toBeLessThan(1e-8 * (1 + norm));
      expect(Math.abs(Math.hypot(...data) / norm - 1)).toBeLessThan(1e-8);
    }
  });
});
