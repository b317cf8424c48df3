/**
 * Small random graphs, made twice: as the engine's tensors and as calls of the float64 reference. A pool of values
 * grows by ops that fit what is in it; shapes are kept few, since each new one means new kernels to compile.
 */
import { randomInteger, shuffle } from '../../src/engine/draws.js';
import { Rng } from '../../src/engine/random.js';
import { type Tensor, tensor } from '../../src/engine/tensor.js';
import { build } from '../ops/build.js';
import { type Array64, array64, numel } from '../reference/array.js';
import type { OpName, OpOptions } from '../reference/registry.js';
import { type Node, Tape } from '../reference/tape.js';

export interface Entry {
  readonly tensor: Tensor;
  readonly node: Node;
  /** The leaves that it depends on. */
  readonly leaves: ReadonlySet<Entry>;
  readonly text: string;
}

export interface RandomGraph {
  readonly tape: Tape;
  readonly loss: Entry;
  /** Leaves that the loss depends on. */
  readonly leaves: readonly Entry[];
  /** Some values in mid-graph, to be given out too. */
  readonly given: readonly Entry[];
  /** How it was made, for when it is wrong. */
  readonly text: string;
}

class Maker {
  readonly tape = new Tape();
  readonly pool: Entry[] = [];
  readonly lines: string[] = [];

  constructor(readonly rng: Rng) {}

  values(shape: readonly number[], scale: number): Array64 {
    const data = Array.from({ length: numel(shape) }, () => Math.fround(this.rng.uniform(-scale, scale)));
    return array64(shape, data);
  }

  leaf(shape: readonly number[], scale = 1): Entry {
    const value = this.values(shape, scale);
    const text = `leaf${this.lines.length}`;
    this.lines.push(`${text} [${shape}]`);
    const leaves = new Set<Entry>();
    const entry = { tensor: tensor(value.data, shape), node: this.tape.leaf(value), leaves, text };
    leaves.add(entry);
    return entry;
  }

  constant(shape: readonly number[]): Entry {
    return { ...this.leaf(shape), leaves: new Set() };
  }

  call<Name extends OpName>(op: Name, inputs: readonly Entry[], options: OpOptions[Name]): Entry {
    const text = `v${this.lines.length}`;
    const made = build(
      { op, options },
      inputs.map((e) => e.tensor),
    );
    this.lines.push(
      `${text} = ${op}(${inputs.map((e) => e.text).join(', ')}; ${JSON.stringify(options)}) [${made.shape}]`,
    );
    return {
      tensor: made,
      node: this.tape.call(
        op,
        inputs.map((e) => e.node),
        options,
      ),
      leaves: new Set(inputs.flatMap((e) => [...e.leaves])),
      text,
    };
  }

  pick<T>(items: readonly T[]): T {
    return items[randomInteger(this.rng, items.length)] as T;
  }

  /** One of the pool, later ones more often, so that graphs grow deep. */
  any(): Entry {
    const back = Math.floor(this.pool.length * this.rng.uniform() ** 2);
    return this.pool[this.pool.length - 1 - back] as Entry;
  }

  like(shape: readonly number[]): Entry {
    return this.pick(this.pool.filter((e) => e.tensor.shape.join() === shape.join()));
  }
}

/** What grows the pool by a value of `x`, which is [2, 4, 4, 4] or [2, 8, 4, 4], as all of the pool are. */
type Step = (m: Maker, x: Entry) => Entry;

function channels(x: Entry): number {
  return x.tensor.shape[1] as number;
}

const unary: Step = (m, x) => m.call('unary', [x], { fn: m.pick(['relu', 'tanh'] as const) });

const scaled: Step = (m, x) => m.call('unary', [x], { fn: 'mulScalar', a: 0.5 });

const binary: Step = (m, x) =>
  m.call('binary', [x, m.like(x.tensor.shape)], { fn: m.pick(['add', 'mul', 'add'] as const) });

/** With a tensor that repeats over it. */
const broadcast: Step = (m, x) => {
  const mean = m.call('mean', [x], { axes: [2, 3], keepdim: true });
  if (m.rng.uniform() < 0.3) return m.call('expand', [mean], { shape: x.tensor.shape });
  return m.call('binary', [x, mean], { fn: 'mul' });
};

/** A convolution, most often with what is fused into it. */
const conv: Step = (m, x) => {
  const weight = m.leaf([4, channels(x), 3, 3], 1 / Math.sqrt(3 * channels(x)));
  const y = m.call('conv2d', [x, weight, m.leaf([4])], { padding: 1 });
  return m.rng.uniform() < 0.6 ? m.call('unary', [y], { fn: 'relu' }) : y;
};

/** Down and up again, as in a U-Net. */
const downUp: Step = (m, x) => {
  const low = m.call('maxPool2d', [x], { kernelSize: 2 });
  return m.call('convTranspose2d', [low, m.leaf([channels(x), 4, 2, 2], 0.5), m.leaf([4])], { stride: 2 });
};

function narrow(m: Maker, x: Entry): Entry {
  if (channels(x) === 4) return x;
  return m.call(
    'slice',
    [x],
    m.pick([
      { axis: 1, start: 0, end: 4 },
      { axis: 1, start: 4, end: 8 },
    ]),
  );
}

const slice: Step = (m, x) => narrow(m, x);

/** A concat of two or three parts, which may be views, concats themselves, or one tensor twice. */
const cat: Step = (m, x) => {
  const parts = [narrow(m, x), narrow(m, m.any())];
  if (m.rng.uniform() < 0.7) return m.call('cat', shuffle(m.rng, parts), { axis: 1 });
  const nested = m.call('cat', shuffle(m.rng, [x, m.any()]), { axis: 1 });
  return m.call('slice', [nested], { axis: 1, start: 0, end: 8 });
};

/** A concat along another axis, brought back by a slice or a reshape. */
const catAcross: Step = (m, x) => {
  const parts = [x, m.like(x.tensor.shape)];
  const axis = m.pick([0, 2, 3]);
  const both = m.call('cat', parts, { axis });
  if (axis > 0 && channels(x) === 4 && m.rng.uniform() < 0.5)
    return m.call('reshape', [both], { shape: [2, 8, 4, 4] });
  const size = both.tensor.shape[axis] as number;
  return m.call(
    'slice',
    [both],
    m.pick([
      { axis, start: size / 2, end: size },
      { axis, start: 0, end: size, step: 2 },
    ]),
  );
};

const transpose: Step = (m, x) => m.call('permute', [x], { axes: [0, 1, 3, 2] });

const shifted: Step = (m, x) => {
  const padded = m.call('pad', [x], { widths: [1, 0], value: 0.5 });
  return m.call('slice', [padded], { axis: 3, start: 0, end: 4 });
};

const steps: readonly Step[] = [
  ...[unary, scaled, binary, binary, broadcast, conv, conv, downUp],
  ...[slice, cat, cat, cat, catAcross, transpose, shifted],
];

export function randomGraph(seed: number, size = 10): RandomGraph {
  const m = new Maker(Rng.of(seed, 77));
  m.pool.push(m.leaf([2, 4, 4, 4]), m.leaf([2, 4, 4, 4]));
  while (m.pool.length < size) m.pool.push(m.pick(steps)(m, m.any()));
  // The loss weighs some of the pool's values by random numbers, the last of them always.
  const summed = [m.pool[m.pool.length - 1] as Entry, m.any(), m.any()];
  const terms = summed.map((e) =>
    m.call('mean', [m.call('binary', [e, m.constant(e.tensor.shape)], { fn: 'mul' })], {}),
  );
  const loss = terms.reduce((a, b) => m.call('binary', [a, b], { fn: 'add' }));
  const given = [m.any(), m.any()];
  return { tape: m.tape, loss, leaves: [...loss.leaves], given, text: m.lines.join('\n') };
}
