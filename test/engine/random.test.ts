import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/compile.js';
import { grad } from '../../src/engine/grad.js';
import { makePlan } from '../../src/engine/plan/plan.js';
import { relativeError } from '../reference/array.js';
import { gpuLikeDevice, testDevice } from '../support/device.js';
import { facts } from './facts.js';
import { type RandomGraph, randomGraph } from './randomGraph.js';

const GRAPHS = 100;

/** Sums here are short; what is left is rounding along a chain of a dozen ops. */
/** One kernel of each kind, so that most graphs find theirs compiled. */
const force = { conv2d: 'direct', conv2dInputGrad: 'direct', conv2dWeightGrad: 'direct' };

const TOLERANCE = 2e-5;

function asked({ loss, leaves, given }: RandomGraph) {
  const gradients = grad(
    loss.tensor,
    leaves.map((e) => e.tensor),
  );
  return [loss.tensor, ...given.map((e) => e.tensor), ...gradients];
}

async function check(seed: number): Promise<void> {
  // More is fused on a GPU.
  const device = await (seed % 2 === 0 ? testDevice() : gpuLikeDevice());
  const graph = randomGraph(seed);
  const { tape, loss, leaves, given, text } = graph;
  tape.backward(loss.node);
  const expected = [
    loss.node.value,
    ...given.map((e) => e.node.value),
    ...leaves.map((e) => e.node.gradient),
  ];
  const fused = await evaluate(device, asked(graph), {}, { force });
  const plain = seed % 4 < 2 ? await evaluate(device, asked(graph), {}, { fuse: false, force }) : fused;
  expected.forEach(({ data }, i) => {
    const what = `graph ${seed}, value ${i}\n${text}\n`;
    // Terms of the loss may cancel: its error is taken against 1.
    const error = (got: ArrayLike<number>) =>
      i === 0 ? Math.abs((got[0] ?? Number.NaN) - (data[0] as number)) : relativeError(got, data);
    expect(error(fused[i]?.data ?? []), what).toBeLessThan(TOLERANCE);
    expect(error(plain[i]?.data ?? []), `without fusing, ${what}`).toBeLessThan(TOLERANCE);
  });
}

describe('random graphs, with gradients, against float64', () => {
  const each = 10;
  for (let from = 0; from < GRAPHS; from += each) {
    it(`${from} to ${from + each - 1}`, { timeout: 600_000 }, async () => {
      for (let seed = from; seed < from + each; seed++) await check(seed);
    });
  }

  it('never bind a buffer for reading and writing at once', () => {
    for (let seed = 0; seed < 400; seed++) {
      const graph = randomGraph(seed, 14);
      const outputs = new Map(asked(graph).map((t, i) => [`${i}`, t]));
      // Planning refuses a dispatch that would read what it writes.
      const { memory } = makePlan(outputs, [], facts(), { force });
      expect(memory.transient, graph.text).toBeGreaterThanOrEqual(memory.least);
    }
  });

  it('make enough of each op to be worth the name', () => {
    const all = Array.from({ length: GRAPHS }, (_, seed) => randomGraph(seed).text).join('\n');
    for (const op of [
      'cat',
      'slice',
      'conv2d',
      'convTranspose2d',
      'maxPool2d',
      'permute',
      'reshape',
      'expand',
    ])
      expect(all.split(`= ${op}(`).length - 1, op).toBeGreaterThan(GRAPHS / 20);
  });
});
