import { type Array64, at, map, zeros } from './array.js';
import { input, type ReferenceOp } from './op.js';

export interface BatchNormOptions {
  readonly eps?: number;
  /** True: the batch's own mean and biased variance; false: the given ones. */
  readonly training: boolean;
}

interface Channels {
  readonly count: number;
  /** Elements of one channel over the whole batch. */
  readonly size: number;
  of(index: number): number;
}

function channels(x: Array64): Channels {
  const [n, c, ...rest] = x.shape as [number, number, ...number[]];
  const inner = rest.reduce((a, b) => a * b, 1);
  return { count: c, size: n * inner, of: (index) => Math.floor(index / inner) % c };
}

/** Sum over each channel of `f`. */
function perChannel(x: Array64, f: (index: number) => number): Array64 {
  const { count, of } = channels(x);
  const out = zeros([count]);
  for (let i = 0; i < x.data.length; i++) out.data[of(i)] = at(out, of(i)) + f(i);
  return out;
}

function statistics(
  inputs: readonly Array64[],
  { training }: BatchNormOptions,
): { mean: Array64; variance: Array64 } {
  if (!training) return { mean: input(inputs, 3), variance: input(inputs, 4) };
  const x = input(inputs, 0);
  const { size, of } = channels(x);
  const mean = map(
    perChannel(x, (i) => at(x, i)),
    (total) => total / size,
  );
  const variance = map(
    perChannel(x, (i) => (at(x, i) - at(mean, of(i))) ** 2),
    (total) => total / size,
  );
  return { mean, variance };
}

/** inputs: x [N, C, ...], weight [C], bias [C], and when not training mean [C] and variance [C], which get no gradient. */
export const batchNorm: ReferenceOp<BatchNormOptions> = {
  forward(inputs, options) {
    const [x, weight, bias] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const { of } = channels(x);
    const { mean, variance } = statistics(inputs, options);
    const eps = options.eps ?? 1e-5;
    return map(x, (value, i) => {
      const c = of(i);
      return ((value - at(mean, c)) / Math.sqrt(at(variance, c) + eps)) * at(weight, c) + at(bias, c);
    });
  },
  vjp(inputs, options, g) {
    const [x, weight] = [input(inputs, 0), input(inputs, 1)];
    const { size, of } = channels(x);
    const { mean, variance } = statistics(inputs, options);
    const inverse = map(variance, (v) => 1 / Math.sqrt(v + (options.eps ?? 1e-5)));
    const normal = map(x, (value, i) => (value - at(mean, of(i))) * at(inverse, of(i)));
    const gBias = perChannel(x, (i) => at(g, i));
    const gWeight = perChannel(x, (i) => at(g, i) * at(normal, i));
    const gx = map(x, (_value, i) => {
      const c = of(i);
      const centred = options.training
        ? at(g, i) - at(gBias, c) / size - (at(normal, i) * at(gWeight, c)) / size
        : at(g, i);
      return centred * at(weight, c) * at(inverse, c);
    });
    return options.training ? [gx, gWeight, gBias] : [gx, gWeight, gBias, null, null];
  },
};
