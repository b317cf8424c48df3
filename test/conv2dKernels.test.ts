import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../src/engine/device.js';
import type { Launch, Operand } from '../src/engine/kernel.js';
import {
  type Conv2dProblem,
  conv2dBiasGrad,
  conv2dForward,
  conv2dInputGrad,
  conv2dWeightGrad,
  type Epilogue,
} from '../src/engine/kernels/conv2d.js';
import { conv2dLadders, conv2dVariants } from '../src/engine/kernels/conv2dVariants.js';
import { reluGate } from '../src/engine/kernels/reluGate.js';
import { openNodeDevice } from '../src/node/device.js';
import {
  randomValues,
  referenceForward,
  referenceInputGrad,
  referenceWeightGrad,
  relativeError,
} from './support/conv2dReference.js';
import {
  gather,
  newOperand,
  newPlanes,
  Prepared,
  scatter,
  TestLowering,
  type Words,
} from './support/runLaunches.js';

let device: Device;
beforeAll(async () => {
  device = await openNodeDevice();
});
afterAll(async () => {
  await device.close();
});

interface Geometry {
  readonly n?: number;
  readonly c: number;
  readonly k: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
}

function problem(g: Geometry): Conv2dProblem {
  const [h, w] = g.size;
  const [kh, kw] = g.kernel;
  const [sh, sw] = g.stride ?? [1, 1];
  const [ph, pw] = g.padding ?? [0, 0];
  const [dh, dw] = g.dilation ?? [1, 1];
  const oh = Math.floor((h + 2 * ph - dh * (kh - 1) - 1) / sh) + 1;
  const ow = Math.floor((w + 2 * pw - dw * (kw - 1) - 1) / sw) + 1;
  return { n: g.n ?? 2, c: g.c, h, w, k: g.k, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw, groups: g.groups ?? 1 };
}

const PROBLEMS: Record<string, Conv2dProblem> = {
  'one of everything': problem({ n: 1, c: 1, k: 1, size: [1, 1], kernel: [1, 1] }),
  '3x3, first layer': problem({ c: 3, k: 16, size: [16, 24], kernel: [3, 3], padding: [1, 1] }),
  '3x3, 16 to 16': problem({ c: 16, k: 16, size: [16, 16], kernel: [3, 3], padding: [1, 1] }),
  '3x3, 32 to 48, 20x12': problem({ c: 32, k: 48, size: [20, 12], kernel: [3, 3], padding: [1, 1] }),
  '3x3, prime sizes': problem({ n: 3, c: 5, k: 7, size: [13, 17], kernel: [3, 3], padding: [1, 1] }),
  '3x3, prime channels': problem({ c: 17, k: 19, size: [9, 11], kernel: [3, 3], padding: [1, 1] }),
  '3x3, no padding': problem({ c: 8, k: 8, size: [10, 11], kernel: [3, 3] }),
  '3x3, padding 2': problem({ c: 8, k: 8, size: [9, 7], kernel: [3, 3], padding: [2, 2] }),
  '3x3, Winograd in slices': problem({ n: 2, c: 3, k: 5, size: [250, 254], kernel: [3, 3], padding: [1, 1] }),
  '3x3, deep and tiny': problem({ n: 1, c: 70, k: 66, size: [2, 3], kernel: [3, 3], padding: [1, 1] }),
  '3x3, stride 2': problem({ c: 8, k: 12, size: [16, 18], kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
  '3x3, stride 2 by 3, rest unread': problem({
    c: 4,
    k: 6,
    size: [12, 15],
    kernel: [3, 3],
    stride: [2, 3],
    padding: [1, 0],
  }),
  '3x3, dilation 2': problem({
    c: 6,
    k: 4,
    size: [12, 13],
    kernel: [3, 3],
    padding: [2, 2],
    dilation: [2, 2],
  }),
  '3x2, dilation 2 by 3': problem({
    c: 3,
    k: 5,
    size: [12, 13],
    kernel: [3, 2],
    padding: [1, 2],
    dilation: [2, 3],
  }),
  '3x3, groups 2': problem({ c: 16, k: 8, size: [9, 10], kernel: [3, 3], padding: [1, 1], groups: 2 }),
  depthwise: problem({ c: 6, k: 12, size: [9, 10], kernel: [3, 3], padding: [1, 1], groups: 6 }),
  '1x1, 16 to 1': problem({ c: 16, k: 1, size: [16, 16], kernel: [1, 1] }),
  '1x1, 11 to 13': problem({ c: 11, k: 13, size: [7, 5], kernel: [1, 1] }),
  '1x1, padding 1': problem({ c: 3, k: 4, size: [5, 6], kernel: [1, 1], padding: [1, 1] }),
  '2x2, stride 2': problem({ c: 16, k: 32, size: [16, 12], kernel: [2, 2], stride: [2, 2] }),
  '2x2, stride 2, odd': problem({ c: 5, k: 9, size: [13, 11], kernel: [2, 2], stride: [2, 2] }),
  '2x2, stride 3': problem({ c: 4, k: 5, size: [13, 12], kernel: [2, 2], stride: [3, 3] }),
  '5x5': problem({ c: 4, k: 4, size: [11, 12], kernel: [5, 5], padding: [2, 2] }),
  '7x1': problem({ c: 3, k: 4, size: [12, 5], kernel: [7, 1], padding: [3, 0] }),
  // More channels than one uniform buffer holds weights of: several launches that add to each other's result.
  '3x3, 301 to 19': problem({ c: 301, k: 19, size: [6, 9], kernel: [3, 3], padding: [1, 1] }),
  '3x3, 11 to 303': problem({ c: 11, k: 303, size: [5, 6], kernel: [3, 3], padding: [1, 1] }),
  '2x2, stride 2, 130 to 37': problem({ c: 130, k: 37, size: [6, 10], kernel: [2, 2], stride: [2, 2] }),
  '1x1, 9 to 505': problem({ c: 9, k: 505, size: [3, 5], kernel: [1, 1] }),
  'height 1': problem({ c: 16, k: 8, size: [1, 33], kernel: [3, 3], padding: [1, 1] }),
  'width 1': problem({ c: 8, k: 16, size: [19, 1], kernel: [3, 3], padding: [1, 1] }),
};

const SPACES = {
  'own buffers': { before: 0, gap: 0 },
  'within larger buffers': { before: 37, gap: 23 },
} as const;

/**
 * Kernels with barriers take seconds to compile here. So one of those that differ in their tiles takes the problems that
 * differ for it, and the others take the first few.
 */
const FOR_GEMM = [
  '3x3, 32 to 48, 20x12',
  '3x3, prime channels',
  'one of everything',
  '2x2, stride 2, odd',
  '3x3, first layer',
  '3x3, padding 2',
  '3x3, deep and tiny',
  '3x3, stride 2 by 3, rest unread',
  '3x2, dilation 2 by 3',
  '1x1, 16 to 1',
  '2x2, stride 2',
];
const PLAINEST_GEMM = /^gemm(_64x64)?$/;

function isTested(name: string, title: string, place: string): boolean {
  if (!name.startsWith('gemm')) return true;
  const problems = PLAINEST_GEMM.test(name) ? FOR_GEMM : FOR_GEMM.slice(0, 2);
  return (
    place === (name.includes('vec4') ? 'own buffers' : 'within larger buffers') && problems.includes(title)
  );
}

interface Run {
  readonly launches: Launch[];
  readonly inputs: readonly (readonly [Operand, Words])[];
  readonly output: Operand;
}

/** Runs, and returns the output's elements; nothing outside it may have changed. */
async function run({ launches, inputs, output }: Run): Promise<Float64Array> {
  const prepared = await Prepared.make(device.gpu, launches);
  try {
    for (const [operand, words] of inputs) prepared.write(operand.storage, words);
    prepared.fill(output.storage, 12345);
    prepared.submit();
    const words = await prepared.read(output.storage);
    const values = gather(output, words);
    const outside = scatter(output, new Float32Array(values.length), 1);
    outside.forEach((isOutside, i) => {
      if (isOutside && words[i] !== 12345) throw new Error(`element ${i} outside the output was written`);
    });
    return values;
  } finally {
    prepared.destroy();
  }
}

function ctx(forced?: string): TestLowering {
  return new TestLowering(device.facts, forced, { seed: 777, step: 5 });
}

for (const [title, p] of Object.entries(PROBLEMS)) {
  for (const [place, space] of Object.entries(SPACES)) {
    describe(`conv2d kernels: ${title}, ${place}`, () => {
      const inside = randomValues(p.n * p.c * p.h * p.w, 1);
      const outside = randomValues(p.n * p.k * p.oh * p.ow, 2);
      const weights = randomValues((p.k * p.c * p.kh * p.kw) / p.groups, 3);
      const inShape = [p.n, p.c, p.h, p.w] as const;
      const outShape = [p.n, p.k, p.oh, p.ow] as const;
      const weightShape = [p.k, p.c / p.groups, p.kh, p.kw];

      function weightOperand(): Operand {
        const at = newOperand([weights.length + space.before]);
        return { ...at, shape: weightShape, layout: { offset: space.before, strides: [] } };
      }
      function weightWords(): Words {
        const words = new Float32Array(weights.length + space.before).fill(NaN);
        words.set(weights, space.before);
        return words;
      }

      it.each(
        conv2dVariants.forward.filter((name) => isTested(name, title, place)),
      )('forward, %s', async (name) => {
        if (!conv2dLadders.forward.find((v) => v.name === name)?.supports(p, device.facts)) return;
        const x = newPlanes(inShape, space);
        const y = newPlanes(outShape, space);
        const weight = weightOperand();
        const launches = conv2dForward(p, { x, weight, y }, {}, ctx(name));
        const inputs = [[x, scatter(x, inside)] as const, [weight, weightWords()] as const];
        const got = await run({ launches, inputs, output: y });
        expect(relativeError(got, referenceForward(p, inside, weights))).toBeLessThan(1e-5);
      });

      it.each(
        conv2dVariants.inputGrad.filter((name) => isTested(name, title, place)),
      )('input gradient, %s', async (name) => {
        if (!conv2dLadders.inputGrad.find((v) => v.name === name)?.supports(p, device.facts)) return;
        const gy = newPlanes(outShape, space);
        const gx = newPlanes(inShape, space);
        const weight = weightOperand();
        const launches = conv2dInputGrad(p, { gy, weight, gx }, {}, ctx(name));
        const inputs = [[gy, scatter(gy, outside)] as const, [weight, weightWords()] as const];
        const got = await run({ launches, inputs, output: gx });
        expect(relativeError(got, referenceInputGrad(p, outside, weights))).toBeLessThan(1e-5);
      });

      it.each(
        conv2dVariants.weightGrad.filter((name) => isTested(name, title, place)),
      )('weight gradient, %s', async (name) => {
        if (!conv2dLadders.weightGrad.find((v) => v.name === name)?.supports(p, device.facts)) return;
        const x = newPlanes(inShape, space);
        const gy = newPlanes(outShape, space);
        const whole = newOperand([weights.length + space.before + space.gap]);
        const gw = {
          ...whole,
          shape: [weights.length],
          layout: { offset: space.before, strides: [1] },
        };
        const launches = conv2dWeightGrad(p, { x, gy, gw }, ctx(name));
        const inputs = [[x, scatter(x, inside)] as const, [gy, scatter(gy, outside)] as const];
        const got = await run({ launches, inputs, output: gw });
        expect(relativeError(got, referenceWeightGrad(p, inside, outside))).toBeLessThan(1e-5);
      });
    });
  }
}

const RELU = (v: number) => Math.max(v, 0);
const SIGMOID = (v: number) => 1 / (1 + Math.exp(-v));

describe('epilogue', () => {
  const p = PROBLEMS['3x3, prime sizes'] as Conv2dProblem;
  const up = PROBLEMS['2x2, stride 2, odd'] as Conv2dProblem;
  const drop = { p: 0.4, stream: 3 };

  /** Which elements the shared hash keeps, as its WGSL says it. */
  function keeps(index: number): boolean {
    const mix = (v: number) => {
      let h = v >>> 0;
      h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
      h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
      return (h ^ (h >>> 16)) >>> 0;
    };
    const key = mix(777 ^ mix(5 ^ mix(drop.stream + 0x9e3779b9)));
    const bits = mix(mix(index + key) ^ (Math.imul(key, 0x9e3779b1) + 0x85ebca6b));
    return bits >= Math.round(drop.p * 2 ** 32);
  }

  function expected(
    sums: Float64Array,
    biases: Float32Array,
    plane: number,
    act: (v: number) => number,
    dropped: boolean,
  ) {
    return sums.map((sum, i) => {
      const v = act(sum + (biases[Math.floor(i / plane) % biases.length] as number));
      if (!dropped) return v;
      return keeps(i) ? v / (1 - drop.p) : 0;
    });
  }

  async function forward(name: string, activation: 'relu' | 'sigmoid', dropped: boolean): Promise<void> {
    if (!conv2dLadders.forward.find((v) => v.name === name)?.supports(p, device.facts)) return;
    const space = SPACES['within larger buffers'];
    const inside = randomValues(p.n * p.c * p.h * p.w, 1);
    const weights = randomValues((p.k * p.c * p.kh * p.kw) / p.groups, 3);
    const biases = randomValues(p.k, 4);
    const x = newPlanes([p.n, p.c, p.h, p.w], space);
    const y = newPlanes([p.n, p.k, p.oh, p.ow], space);
    const weight = newOperand([p.k, p.c / p.groups, p.kh, p.kw]);
    const bias = newOperand([p.k]);
    const lowering = ctx(name);
    const epilogue: Epilogue = dropped ? { bias, activation, dropout: drop } : { bias, activation };
    const launches = conv2dForward(p, { x, weight, y }, epilogue, lowering);
    const inputs: [Operand, Words][] = [
      [x, scatter(x, inside)],
      [weight, weights],
      [bias, biases],
    ];
    if (dropped) inputs.push([lowering.scalars, lowering.words()]);
    const got = await run({ launches, inputs, output: y });
    const act = activation === 'relu' ? RELU : SIGMOID;
    const want = expected(referenceForward(p, inside, weights), biases, p.oh * p.ow, act, dropped);
    expect(relativeError(got, want)).toBeLessThan(1e-5);
  }

  async function inputGrad(name: string): Promise<void> {
    if (!conv2dLadders.inputGrad.find((v) => v.name === name)?.supports(up, device.facts)) return;
    const outside = randomValues(up.n * up.k * up.oh * up.ow, 2);
    const weights = randomValues((up.k * up.c * up.kh * up.kw) / up.groups, 3);
    const biases = randomValues(up.c, 4);
    const gy = newPlanes([up.n, up.k, up.oh, up.ow], SPACES['own buffers']);
    const gx = newPlanes([up.n, up.c, up.h, up.w], SPACES['within larger buffers']);
    const weight = newOperand([up.k, up.c / up.groups, up.kh, up.kw]);
    const bias = newOperand([up.c]);
    const lowering = ctx(name);
    const epilogue: Epilogue = { bias, activation: 'relu', dropout: drop };
    const launches = conv2dInputGrad(up, { gy, weight, gx }, epilogue, lowering);
    const inputs: [Operand, Words][] = [
      [gy, scatter(gy, outside)],
      [weight, weights],
      [bias, biases],
      [lowering.scalars, lowering.words()],
    ];
    const got = await run({ launches, inputs, output: gx });
    const want = expected(referenceInputGrad(up, outside, weights), biases, up.h * up.w, RELU, true);
    expect(relativeError(got, want)).toBeLessThan(1e-5);
  }

  // The gemm kernels share the code of their ends.
  const ends = (names: readonly string[]) =>
    names.filter((name) => !name.startsWith('gemm') || PLAINEST_GEMM.test(name));

  it.each(ends(conv2dVariants.forward))('forward, %s: bias and relu', (name) => forward(name, 'relu', false));
  it.each(ends(conv2dVariants.forward))('forward, %s: bias and sigmoid', (name) =>
    forward(name, 'sigmoid', false));
  it.each(ends(conv2dVariants.forward))('forward, %s: bias, relu, dropout', (name) =>
    forward(name, 'relu', true));
  it.each(ends(conv2dVariants.inputGrad))('transposed forward, %s: bias, relu, dropout', (name) =>
    inputGrad(name));

  /** Where what a ReLU gave was not above 0 nothing passes, wherever that lies. */
  async function gated(
    shape: readonly [number, number, number, number],
    want: Float64Array,
    gap: keyof typeof SPACES,
    lower: (out: Operand, gate: Epilogue) => { launches: Launch[]; inputs: [Operand, Words][] },
  ): Promise<void> {
    const y = newPlanes(shape, SPACES[gap]);
    const given = randomValues(want.length, 5).map((v, i) => (i % 7 === 0 ? 0 : v));
    const out = newPlanes(shape, SPACES['within larger buffers']);
    const { launches, inputs } = lower(out, { gate: reluGate(y, 1.25) });
    const got = await run({ launches, inputs: [...inputs, [y, scatter(y, given)]], output: out });
    const expected = want.map((v, i) => ((given[i] as number) > 0 ? 1.25 * v : 0));
    expect(relativeError(got, expected)).toBeLessThan(1e-5);
  }

  for (const gap of Object.keys(SPACES) as (keyof typeof SPACES)[]) {
    it.each(
      ends(conv2dVariants.inputGrad),
    )(`input gradient, %s: a ReLU's gradient, y in ${gap}`, async (name) => {
      const way = [up, p].find((each) =>
        conv2dLadders.inputGrad.find((v) => v.name === name)?.supports(each, device.facts),
      );
      if (!way) return;
      const outside = randomValues(way.n * way.k * way.oh * way.ow, 2);
      const weights = randomValues(way.k * way.c * way.kh * way.kw, 3);
      const want = referenceInputGrad(way, outside, weights);
      await gated([way.n, way.c, way.h, way.w], want, gap, (gx, epilogue) => {
        const gy = newPlanes([way.n, way.k, way.oh, way.ow], SPACES['own buffers']);
        const weight = newOperand([way.k, way.c, way.kh, way.kw]);
        const launches = conv2dInputGrad(way, { gy, weight, gx }, epilogue, ctx(name));
        return {
          launches,
          inputs: [
            [gy, scatter(gy, outside)],
            [weight, weights],
          ],
        };
      });
    });

    it.each(ends(conv2dVariants.forward))(`forward, %s: a ReLU's gradient, y in ${gap}`, async (name) => {
      const way = [up, p].find((each) =>
        conv2dLadders.forward.find((v) => v.name === name)?.supports(each, device.facts),
      );
      if (!way) return;
      const inside = randomValues(way.n * way.c * way.h * way.w, 1);
      const weights = randomValues(way.k * way.c * way.kh * way.kw, 3);
      const want = referenceForward(way, inside, weights);
      await gated([way.n, way.k, way.oh, way.ow], want, gap, (y, epilogue) => {
        const x = newPlanes([way.n, way.c, way.h, way.w], SPACES['own buffers']);
        const weight = newOperand([way.k, way.c, way.kh, way.kw]);
        const launches = conv2dForward(way, { x, weight, y }, epilogue, ctx(name));
        return {
          launches,
          inputs: [
            [x, scatter(x, inside)],
            [weight, weights],
          ],
        };
      });
    });
  }
});

describe('bias gradient', () => {
  it.each([
    [[1, 1, 1, 1]],
    [[2, 3, 5, 7]],
    [[4, 16, 33, 31]],
    [[3, 2, 70, 65]],
  ] as const)('of %j', async (shape) => {
    const [n, k, h, w] = shape;
    const gy = newPlanes(shape, SPACES['within larger buffers']);
    const whole = newOperand([k + 9]);
    const gb: Operand = { ...whole, shape: [k], layout: { offset: 5, strides: [1] } };
    const values = randomValues(n * k * h * w, 6);
    const launches = conv2dBiasGrad({ gy, gb }, ctx());
    const got = await run({ launches, inputs: [[gy, scatter(gy, values)]], output: gb });
    const want = new Float64Array(k);
    values.forEach((v, i) => {
      const channel = Math.floor(i / (h * w)) % k;
      want[channel] = (want[channel] as number) + v;
    });
    expect(relativeError(got, want)).toBeLessThan(1e-5);
  });
});

it.each(['winograd2', 'winograd4'])('%s takes what is large in several slices', (name) => {
  const p = PROBLEMS['3x3, Winograd in slices'] as Conv2dProblem;
  const operands = {
    x: newPlanes([p.n, p.c, p.h, p.w], SPACES['own buffers']),
    y: newPlanes([p.n, p.k, p.oh, p.ow], SPACES['own buffers']),
    weight: newOperand([p.k, p.c, p.kh, p.kw]),
  };
  const outputs = conv2dForward(p, operands, {}, ctx(name)).filter(({ shader }) =>
    shader.name.endsWith('output'),
  );
  expect(outputs.length).toBeGreaterThan(1);
  const { x, y: gy, weight: gw } = operands;
  const products = conv2dWeightGrad(p, { x, gy, gw }, ctx(name)).filter(({ shader }) =>
    shader.name.endsWith('gemm_weight'),
  );
  expect(products.length).toBeGreaterThan(1);
});

describe('choice of a variant', () => {
  it('refuses an unknown name', () => {
    const p = PROBLEMS['one of everything'] as Conv2dProblem;
    const x = newPlanes([1, 1, 1, 1], SPACES['own buffers']);
    const io = { x, y: newPlanes([1, 1, 1, 1], SPACES['own buffers']), weight: newOperand([1, 1, 1, 1]) };
    expect(() => conv2dForward(p, io, {}, ctx('fastest'))).toThrow(
      /no variant 'fastest'; there are .*direct/,
    );
  });

  it('refuses an operand whose planes are not contiguous', () => {
    const p = PROBLEMS['3x3, 16 to 16'] as Conv2dProblem;
    const x = newPlanes([2, 16, 16, 16], SPACES['own buffers']);
    const turned: Operand = { ...x, layout: { offset: 0, strides: [4096, 256, 1, 16] } };
    const io = {
      x: turned,
      y: newPlanes([2, 16, 16, 16], SPACES['own buffers']),
      weight: newOperand([16, 16, 3, 3]),
    };
    expect(() => conv2dForward(p, io, {}, ctx())).toThrow(/must have contiguous planes/);
  });
});
