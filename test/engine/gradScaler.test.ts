import { describe, expect, it } from 'vitest';
import { compile, GradScaler, grad, Parameter, plan, readParameters, sum } from '../../src/engine/index.js';
import { Adam } from '../../src/engine/optim/adam.js';
import { SGD } from '../../src/engine/optim/sgd.js';
import { testDevice } from '../support/device.js';
import { facts } from './facts.js';

const SIZES = [3, 130, 1, 64, 257];

interface Step {
  readonly weights: Float32Array[];
  readonly state: number[];
  /** The output of the program: the state as it was before. */
  readonly before: number[];
}

/** Trains by sum(g * w), whose gradient is g itself; `bad` is put into one gradient at the steps named. */
async function follow(
  kind: 'sgd' | 'plain' | 'adam',
  scaler: GradScaler | undefined,
  steps: readonly (number | null)[],
  at = 0,
): Promise<Step[]> {
  const device = await testDevice();
  const parameters = SIZES.map((n, i) => new Parameter([n], new Float32Array(n).fill(i + 1), `w${i}`));
  const optimizer =
    kind === 'adam'
      ? new Adam(parameters, { scaler })
      : new SGD(parameters, {
          scaler,
          momentum: kind === 'sgd',
          ...(kind === 'sgd' ? { dampening: 0.3 } : {}),
        });
  const inputs = Object.fromEntries(SIZES.map((n, i) => [`g${i}`, [n]]));
  const program = await compile(device, inputs, (given) => {
    const terms = parameters.map((w, i) => sum(w.mul(given[`g${i}`] as Parameter)));
    const loss = terms.reduce((a, b) => a.add(b));
    optimizer.update(grad(scaler ? scaler.scale(loss) : loss, parameters));
    return { loss, scaling: scaler?.state ?? loss };
  });
  const done: Step[] = [];
  for (const [t, bad] of steps.entries()) {
    const values = SIZES.map((n, i) => Float32Array.from({ length: n }, (_, k) => Math.sin(t + i + k)));
    if (bad !== null) (values[at] as Float32Array)[(values[at] as Float32Array).length - 1] = bad;
    const given = Object.fromEntries(values.map((g, i) => [`g${i}`, g]));
    const result = await program.run(given, { lr: 0.1, momentum: 0.9 });
    const state = scaler ? [...((await readParameters([scaler.state]))[0] as Float32Array)] : [];
    done.push({
      weights: await readParameters(parameters),
      state,
      before: Array.from(result.scaling.data),
    });
  }
  program.destroy();
  return done;
}

describe('loss scaling', () => {
  for (const kind of ['sgd', 'plain', 'adam'] as const) {
    it(`leaves ${kind} as it is where nothing overflows, to the bit`, async () => {
      const scaled = await follow(kind, new GradScaler(), [null, null, null]);
      const plain = await follow(kind, undefined, [null, null, null]);
      expect(scaled.map(({ weights }) => weights)).toEqual(plain.map(({ weights }) => weights));
      expect(scaled.map(({ state }) => state.slice(0, 3))).toEqual([
        [65536, 1, 0],
        [65536, 2, 0],
        [65536, 3, 0],
      ]);
      expect(scaled[1]?.before.slice(0, 3)).toEqual([65536, 1, 0]);
    });

    it(`skips steps of ${kind} that overflow, and goes on as if they had not been`, async () => {
      const bad = [Number.POSITIVE_INFINITY, Number.NaN, null, null, Number.NEGATIVE_INFINITY, null];
      const scaler = new GradScaler();
      const first = SIZES.map((n, i) => new Float32Array(n).fill(i + 1));
      const steps = await follow(kind, scaler, bad, 4);
      expect(steps.map(({ state }) => state.slice(0, 4))).toEqual([
        [32768, 0, 1, 1],
        [16384, 0, 2, 1],
        [16384, 1, 2, 0],
        [16384, 2, 2, 0],
        [8192, 0, 3, 1],
        [8192, 1, 3, 0],
      ]);
      expect(steps[0]?.weights).toEqual(first);
      expect(steps[1]?.weights).toEqual(first);
      expect(steps[2]?.weights).not.toEqual(first);
      expect(steps[4]?.weights).toEqual(steps[3]?.weights);
      expect(steps[5]?.weights).not.toEqual(steps[4]?.weights);
      // The first step that counts is as a first step is: dampening and bias correction start there.
      const step = (weights: Float32Array[], before: Float32Array[]) =>
        (weights[1]?.[0] as number) - (before[1]?.[0] as number);
      const moved = step(steps[2]?.weights as Float32Array[], first);
      expect(moved / (kind === 'adam' ? Math.sign(Math.sin(3)) : Math.sin(3))).toBeCloseTo(-0.1, 5);
    });
  }

  it('grows after an interval without overflow, and never to infinity', async () => {
    const [, , c, d] = await follow('plain', new GradScaler({ growthInterval: 2, initScale: 4 }), [
      null,
      null,
      null,
      null,
    ]);
    expect(c?.state.slice(0, 3)).toEqual([8, 1, 0]);
    expect(d?.state.slice(0, 3)).toEqual([16, 0, 0]);
    const huge = new GradScaler({ growthInterval: 1, initScale: 2 ** 127 });
    const tiny = await follow('plain', huge, [null]);
    expect(tiny[0]?.state[0]).not.toBe(Number.POSITIVE_INFINITY);
  });

  it('finds an overflow in any gradient', async () => {
    for (const at of SIZES.keys()) {
      const [step] = await follow('plain', new GradScaler(), [Number.NaN], at);
      expect(step?.state.slice(0, 4), `gradient ${at}`).toEqual([32768, 0, 1, 1]);
    }
  });

  it('covers several flat buffers before any parameter changes', () => {
    const parameters = [1, 2, 3].map(() => new Parameter([128], null));
    const scaler = new GradScaler();
    const optimizer = new SGD(parameters, { scaler });
    const made = plan(facts({ maxStorageBufferBindingSize: 1024 }), {}, () => {
      const loss = parameters.map((w) => sum(w.square())).reduce((a, b) => a.add(b));
      optimizer.update(grad(scaler.scale(loss), parameters));
      return { loss };
    });
    const ops = made.steps.map(({ op }) => op);
    expect(ops.filter((op) => op === 'sgd')).toHaveLength(2);
    expect(ops.lastIndexOf('gradScaler')).toBeLessThan(ops.indexOf('sgd'));
  });

  it('refuses factors that cannot work', () => {
    expect(() => new GradScaler({ initScale: 0 })).toThrow('the scale must be above 0');
    expect(() => new GradScaler({ backoffFactor: 1 })).toThrow('the backoff factor in 0..1');
    expect(() => new GradScaler({ growthInterval: 0.5 })).toThrow('a whole number of at least 1');
  });
});
