import { describe, expect, it } from 'vitest';
import { type AdamOptions, adam, type SgdOptions, sgd } from '../../src/engine/kernels/optim.js';
import { FORMS, KernelRun, numbers, relativeError } from '../support/kernelRun.js';

const STEPS = 4;
const lrs = [0.1, 0.05, 0.2, 0.01];
const momenta = [0.95, 0.9, 0.85, 0.9];

/** torch.optim.SGD in float64. */
function sgd64(params: Float64Array, gradsOf: (step: number) => Float64Array, o: SgdOptions): Float64Array {
  const p = Float64Array.from(params);
  const buffer = new Float64Array(p.length);
  for (let step = 0; step < STEPS; step++) {
    const [lr, mu] = [lrs[step] as number, o.momentumZero ? 0 : (momenta[step] as number)];
    gradsOf(step).forEach((g, i) => {
      let d = g + o.weightDecay * (p[i] as number);
      if (!o.momentumZero) {
        const later = mu * (buffer[i] as number) + (1 - o.dampening) * d;
        buffer[i] = step === 0 ? d : later;
        d = o.nesterov ? d + mu * (buffer[i] as number) : (buffer[i] as number);
      }
      p[i] = (p[i] as number) - lr * d;
    });
  }
  return p;
}

describe('sgd', () => {
  const cases: [string, Partial<SgdOptions>][] = [
    ['momentum', {}],
    ['no momentum', { momentumZero: true }],
    ['no momentum, weight decay', { momentumZero: true, weightDecay: 0.1 }],
    ['weight decay', { weightDecay: 0.1 }],
    ['dampening', { dampening: 0.3 }],
    ['Nesterov', { nesterov: true, weightDecay: 0.01 }],
  ];
  describe.each(cases)('%s', (_, part) => {
    it.each(
      FORMS.flatMap((form) => [64, 67].map((count) => [count, form] as const)),
    )('over %d parameters, as on a %s', async (count, form) => {
      const options = { dampening: 0, weightDecay: 0, nesterov: false, momentumZero: false, ...part };
      const k = await KernelRun.open(form);
      const start = numbers(count, -1, 1, 1);
      const gradsOf = (step: number) => numbers(count, -1, 1, 10 + step);
      const params = k.put(start, [count]);
      // Never written before the first step: it holds NaN.
      const momentum = k.out([count]);
      for (let step = 0; step < STEPS; step++) {
        const grads = k.put(gradsOf(step), [count]);
        const launches = sgd({ params, grads, momentum }, options, k.ctx);
        expect(launches.length).toBe(1);
        k.scalars({
          lr: lrs[step] as number,
          momentum: momenta[step] as number,
          sgdFirst: { u32: Number(step === 0) },
        });
        await k.run(launches);
      }
      expect(relativeError(k.readAlone(params), sgd64(start, gradsOf, options))).toBeLessThan(1e-6);
    });
  });

  it('refuses operands of different lengths, and momentum without a buffer', async () => {
    const k = await KernelRun.open();
    const options = { dampening: 0, weightDecay: 0, nesterov: false, momentumZero: false };
    const [four, five] = [k.out([4]), k.out([5])];
    expect(() => sgd({ params: four, grads: five, momentum: k.out([4]) }, options, k.ctx)).toThrow(
      'grads must be 4',
    );
    expect(() => sgd({ params: four, grads: k.out([4]) }, options, k.ctx)).toThrow('a buffer');
  });
});

/** torch.optim.Adam and AdamW in float64. */
function adam64(
  params: Float64Array,
  gradsOf: (step: number) => Float64Array,
  o: AdamOptions,
  from: number,
): Float64Array {
  const p = Float64Array.from(params);
  const [mean, square] = [new Float64Array(p.length), new Float64Array(p.length)];
  const [b1, b2] = o.betas;
  for (let step = 0; step < STEPS; step++) {
    const lr = lrs[step] as number;
    const t = step + from;
    gradsOf(step).forEach((g, i) => {
      let d = g;
      if (o.decoupled) p[i] = (p[i] as number) * (1 - lr * o.weightDecay);
      else d += o.weightDecay * (p[i] as number);
      mean[i] = b1 * (mean[i] as number) + (1 - b1) * d;
      square[i] = b2 * (square[i] as number) + (1 - b2) * d * d;
      const denominator = Math.sqrt(square[i] as number) / Math.sqrt(1 - b2 ** t) + o.eps;
      p[i] = (p[i] as number) - ((lr / (1 - b1 ** t)) * (mean[i] as number)) / denominator;
    });
  }
  return p;
}

describe('adam', () => {
  const cases: [string, Partial<AdamOptions>, number][] = [
    ['plain', {}, 1],
    ['weight decay', { weightDecay: 0.1 }, 1],
    ['AdamW', { weightDecay: 0.1, decoupled: true }, 1],
    ['other betas', { betas: [0.5, 0.99], eps: 1e-3 }, 1],
    ['betas of 0', { betas: [0, 0] }, 1],
    ['late in training', {}, 5000],
  ];
  describe.each(cases)('%s', (_, part, from) => {
    it.each(
      FORMS.flatMap((form) => [64, 67].map((count) => [count, form] as const)),
    )('over %d parameters, as on a %s', async (count, form) => {
      const options: AdamOptions = {
        betas: [0.9, 0.999],
        eps: 1e-8,
        weightDecay: 0,
        decoupled: false,
        ...part,
      };
      const k = await KernelRun.open(form);
      const start = numbers(count, -1, 1, 1);
      const gradsOf = (step: number) => numbers(count, -1, 1, 10 + step);
      const zeros = new Float64Array(count);
      const [params, mean, square] = [k.put(start, [count]), k.put(zeros, [count]), k.put(zeros, [count])];
      for (let step = 0; step < STEPS; step++) {
        const launches = adam({ params, grads: k.put(gradsOf(step), [count]), mean, square }, options, k.ctx);
        k.scalars({ lr: lrs[step] as number, adamStep: { u32: step + from } });
        await k.run(launches);
      }
      expect(relativeError(k.readAlone(params), adam64(start, gradsOf, options, from))).toBeLessThan(2e-6);
    });
  });
});
