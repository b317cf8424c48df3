import { readFile } from 'node:fs/promises';
import type * as JAX from '@jax-js/jax';
import { type Batch, type Layer, netLayers } from './net.js';
import { BCE_WEIGHT, DICE_WEIGHT, type Peer, type PeerConfig } from './peer.js';

type Arr = JAX.Array;
type Tree = Record<string, Arr>;

/** jax-js with its whole training step in one `jit`, in NCHW. */
export async function createJaxjs(): Promise<Peer> {
  const jax = await import('@jax-js/jax');
  if (!(await jax.init('webgpu')).includes('webgpu'))
    throw new Error('jax-js could not start its webgpu backend.');
  jax.defaultDevice('webgpu');
  const entry = new URL('../package.json', import.meta.resolve('@jax-js/jax'));
  const { version } = JSON.parse(await readFile(entry, 'utf8')) as { version: string };
  return new Jaxjs(jax, version);
}

/**
 * Arrays of jax-js are counted references: an operation consumes what it is given, and `.ref` keeps one more.
 * So each name below says `.ref` at every use but its last.
 */
class Jaxjs implements Peer {
  readonly name = 'jax-js';
  readonly note =
    'no dropout layer: random.bernoulli and where; max-pool as reshape and max; transposed convolution as matrix product and shuffle';
  readonly trains = true;
  private config: PeerConfig | undefined;
  private layers: Layer[] = [];
  private parameters: Tree = {};
  private momenta: Tree = {};
  private stepNumber = 0;
  private trainJit: ReturnType<typeof this.compileStep> | undefined;
  private inferJit: ReturnType<typeof this.compileInfer> | undefined;

  constructor(
    private readonly jax: typeof JAX,
    readonly version: string,
  ) {}

  async setup(config: PeerConfig): Promise<void> {
    await this.dispose();
    const { numpy: np } = this.jax;
    this.config = config;
    this.layers = netLayers(config.net);
    this.stepNumber = 0;
    for (const { name, shape, outChannels } of this.layers) {
      const add = (key: string, of: number[]): void => {
        const values = config.weights.get(key) as Float32Array;
        this.parameters[key] = np.array(new Float32Array(values), { shape: of });
        this.momenta[key] = np.zeros(of);
      };
      add(`${name}.weight`, [...shape]);
      add(`${name}.bias`, [outChannels]);
    }
    this.trainJit = this.compileStep(config);
    this.inferJit = this.compileInfer(config);
  }

  async trainStep(batch: Batch): Promise<number> {
    if (!this.trainJit) throw new Error('jax-js: setup() comes first.');
    const { image, mask } = this.upload(batch);
    const key = this.jax.random.key(this.stepNumber++);
    const out = this.trainJit(this.parameters, this.momenta, image, mask, key);
    this.parameters = out.parameters;
    this.momenta = out.momenta;
    return (await out.loss.data())[0] as number;
  }

  async infer(batch: Batch): Promise<Float32Array> {
    if (!this.inferJit) throw new Error('jax-js: setup() comes first.');
    const { image, mask } = this.upload(batch);
    mask.dispose();
    const kept: Tree = {};
    for (const [name, value] of Object.entries(this.parameters)) kept[name] = value.ref;
    return (await this.inferJit(kept, image).data()) as Float32Array;
  }

  async readWeights(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const [name, value] of Object.entries(this.parameters)) {
      values.set(name, (await value.ref.data()) as Float32Array);
    }
    return values;
  }

  async dispose(): Promise<void> {
    for (const tree of [this.parameters, this.momenta])
      for (const value of Object.values(tree)) value.dispose();
    this.parameters = {};
    this.momenta = {};
    this.trainJit?.dispose();
    this.inferJit?.dispose();
    this.trainJit = undefined;
    this.inferJit = undefined;
  }

  private upload(batch: Batch): { image: Arr; mask: Arr } {
    const { numpy: np } = this.jax;
    const { net } = this.config as PeerConfig;
    return {
      image: np.array(new Float32Array(batch.image), {
        shape: [net.batch, net.inChannels, net.height, net.width],
      }),
      mask: np.array(new Float32Array(batch.mask), {
        shape: [net.batch, net.outChannels, net.height, net.width],
      }),
    };
  }

  private compileStep(config: PeerConfig) {
    const { jit, valueAndGrad } = this.jax;
    return jit((parameters: Tree, momenta: Tree, image: Arr, mask: Arr, key: Arr) => {
      const kept: Tree = {};
      for (const [name, value] of Object.entries(parameters)) kept[name] = value.ref;
      const objective = (at: Tree): Arr => this.loss(this.forward(at, image, key), mask);
      const [loss, gradients] = valueAndGrad(objective)(parameters) as unknown as [Arr, Tree];
      const next: { parameters: Tree; momenta: Tree } = { parameters: {}, momenta: {} };
      for (const [name, value] of Object.entries(kept)) {
        const momentum = (momenta[name] as Arr).mul(config.momentum).add(gradients[name] as Arr);
        next.momenta[name] = momentum.ref;
        next.parameters[name] = value.sub(momentum.mul(config.lr));
      }
      return { loss, ...next };
    });
  }

  private compileInfer(_config: PeerConfig) {
    return this.jax.jit((parameters: Tree, image: Arr) => this.forward(parameters, image, undefined));
  }

  /** Takes `image` and, where given, `key`: with a key, blocks drop elements. */
  private forward(parameters: Tree, image: Arr, key: Arr | undefined): Arr {
    const { numpy: np, lax, nn, random } = this.jax;
    const { net } = this.config as PeerConfig;
    const dropping = key !== undefined && net.dropout > 0;
    const keys = dropping ? random.split(key, 2 * net.depth - 1) : undefined;
    if (key && !dropping) key.dispose();
    let block = 0;
    const bias = (name: string): Arr => {
      const value = parameters[`${name}.bias`] as Arr;
      return value.reshape([value.shape[0] as number, 1, 1]);
    };
    const conv = (name: string, x: Arr, pad: number): Arr => {
      const weight = parameters[`${name}.weight`] as Arr;
      const y = lax.convGeneralDilated(
        x,
        weight,
        [1, 1],
        [
          [pad, pad],
          [pad, pad],
        ],
      );
      return y.add(bias(name));
    };
    const twoConvs = (name: string, x: Arr): Arr => {
      let y = nn.relu(conv(`${name}.conv1`, x, 1));
      if (keys) {
        const own = (block < 2 * net.depth - 2 ? keys.ref : keys).slice(block);
        block++;
        const keep = random.bernoulli(own, 1 - net.dropout, [...y.shape]);
        y = np.where(keep, y.mul(1 / (1 - net.dropout)), 0);
      }
      return nn.relu(conv(`${name}.conv2`, y, 1));
    };
    const pool = (x: Arr): Arr => {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
    };
    const up = (name: string, x: Arr): Arr => {
      const weight = parameters[`${name}.weight`] as Arr;
      const [, to] = weight.shape as [number, number];
      const [n, , h, w] = x.shape as [number, number, number, number];
      const y = np.tensordot(weight, x, [[0], [1]]).transpose([3, 0, 4, 1, 5, 2]);
      return y.reshape([n, to, 2 * h, 2 * w]).add(bias(name));
    };
    const skips: Arr[] = [];
    let x = image;
    for (let level = 0; level < net.depth; level++) {
      if (level > 0) x = pool(x);
      x = twoConvs(`down.${level}`, x);
      if (level < net.depth - 1) skips.push(x.ref);
    }
    for (let level = net.depth - 2; level >= 0; level--) {
      x = twoConvs(`up.${level}`, np.concatenate([up(`up.${level}.up`, x), skips[level] as Arr], 1));
    }
    return nn.sigmoid(conv('last', x, 0));
  }

  private loss(p: Arr, t: Arr): Arr {
    const { numpy: np } = this.jax;
    const log = (x: Arr): Arr => np.maximum(np.log(x), -100);
    const lesion = t.ref.mul(log(p.ref));
    const rest = np.subtract(1, t.ref).mul(log(np.subtract(1, p.ref)));
    const bce = np.mean(lesion.add(rest)).neg();
    const both = np.sum(p.ref.mul(t.ref)).mul(2).add(1);
    const dice = np.subtract(1, both.div(np.sum(p).add(np.sum(t)).add(1)));
    return bce.mul(BCE_WEIGHT).add(dice.mul(DICE_WEIGHT));
  }
}
