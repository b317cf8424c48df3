import type * as TF from '@tensorflow/tfjs-core';
import { type Batch, type Layer, netLayers } from './net.js';
import { BCE_WEIGHT, DICE_WEIGHT, type Peer, type PeerConfig } from './peer.js';

/** Axes that take PyTorch's (d0, d1, kh, kw) to tfjs' filter: HWIO, and for a transposed convolution (kh, kw, out, in). */
const TO_TFJS = [2, 3, 1, 0] as const;

/** tfjs-core on tfjs-backend-webgpu, in NHWC (its convolution gradients know no other layout). */
export async function createTfjs(): Promise<Peer> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-core/dist/register_all_gradients');
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs could not start its webgpu backend.');
  await tf.ready();
  return new Tfjs(tf);
}

class Tfjs implements Peer {
  readonly name = 'tfjs';
  readonly note = 'NHWC; random numbers for dropout are drawn on the CPU, as tf.dropout does';
  readonly trains = true;
  private config: PeerConfig | undefined;
  private layers: Layer[] = [];
  private variables = new Map<string, TF.Variable>();
  private optimizer: TF.Optimizer | undefined;
  private readonly images = new WeakMap<Batch, { image: Float32Array; mask: Float32Array }>();

  constructor(private readonly tf: typeof TF) {}

  get version(): string {
    return this.tf.version_core;
  }

  async setup(config: PeerConfig): Promise<void> {
    await this.dispose();
    const { tf } = this;
    this.config = config;
    this.layers = netLayers(config.net);
    for (const { name, shape } of this.layers) {
      const weight = tf.tidy(() => {
        const data = config.weights.get(`${name}.weight`) as Float32Array;
        return tf.variable(
          tf.tensor4d(nchwFilterToTfjs(data, shape), TO_TFJS.map((axis) => shape[axis] as number) as Four),
        );
      });
      const bias = tf.tidy(() =>
        tf.variable(tf.tensor1d(config.weights.get(`${name}.bias`) as Float32Array)),
      );
      this.variables.set(`${name}.weight`, weight).set(`${name}.bias`, bias);
    }
    this.optimizer = tf.train.momentum(config.lr, config.momentum);
  }

  async trainStep(batch: Batch): Promise<number> {
    const { tf } = this;
    const { net } = this.ready();
    const { image, mask } = this.convert(batch);
    const loss = tf.tidy((): TF.Scalar => {
      const x = tf.tensor4d(image, [net.batch, net.height, net.width, net.inChannels]);
      const t = tf.tensor4d(mask, [net.batch, net.height, net.width, net.outChannels]);
      const cost = this.optimizer?.minimize(() => this.loss(this.forward(x, true), t), true);
      if (!cost) throw new Error('tfjs gave no loss.');
      return cost;
    });
    const value = (await loss.data())[0] as number;
    loss.dispose();
    return value;
  }

  async infer(batch: Batch): Promise<Float32Array> {
    const { tf } = this;
    const { net } = this.ready();
    const { image } = this.convert(batch);
    const p = tf.tidy(() =>
      this.forward(tf.tensor4d(image, [net.batch, net.height, net.width, net.inChannels]), false),
    );
    const data = (await p.data()) as Float32Array;
    p.dispose();
    return nhwcToNchw(data, net.batch, net.outChannels, net.height * net.width);
  }

  async readWeights(): Promise<Map<string, Float32Array>> {
    const { tf } = this;
    const values = new Map<string, Float32Array>();
    for (const { name } of this.layers) {
      const weight = tf.tidy(() => tf.transpose(this.variable(`${name}.weight`), [3, 2, 0, 1]));
      values.set(`${name}.weight`, (await weight.data()) as Float32Array);
      weight.dispose();
      values.set(`${name}.bias`, (await this.variable(`${name}.bias`).data()) as Float32Array);
    }
    return values;
  }

  async dispose(): Promise<void> {
    this.optimizer?.dispose();
    for (const variable of this.variables.values()) variable.dispose();
    this.variables.clear();
  }

  private forward(image: TF.Tensor4D, training: boolean): TF.Tensor4D {
    const { tf } = this;
    const { net } = this.ready();
    const conv = (name: string, x: TF.Tensor4D, activation: 'relu' | 'linear'): TF.Tensor4D =>
      tf.fused.conv2d({
        x,
        filter: this.variable(`${name}.weight`) as TF.Tensor4D,
        bias: this.variable(`${name}.bias`),
        strides: 1,
        pad: 'same',
        activation,
      });
    const block = (name: string, x: TF.Tensor4D): TF.Tensor4D => {
      let y = conv(`${name}.conv1`, x, 'relu');
      if (training && net.dropout > 0) y = tf.dropout(y, net.dropout) as TF.Tensor4D;
      return conv(`${name}.conv2`, y, 'relu');
    };
    const skips: TF.Tensor4D[] = [];
    let x = image;
    for (let level = 0; level < net.depth; level++) {
      if (level > 0) x = tf.maxPool(x, 2, 2, 'valid');
      x = block(`down.${level}`, x);
      skips.push(x);
    }
    for (let level = net.depth - 2; level >= 0; level--) {
      const skip = skips[level] as TF.Tensor4D;
      const weight = this.variable(`up.${level}.up.weight`) as TF.Tensor4D;
      const up = tf.add(
        tf.conv2dTranspose(
          x,
          weight,
          [skip.shape[0], skip.shape[1], skip.shape[2], weight.shape[2]],
          2,
          'valid',
        ),
        this.variable(`up.${level}.up.bias`),
      ) as TF.Tensor4D;
      x = block(`up.${level}`, tf.concat([up, skip], 3));
    }
    return tf.sigmoid(conv('last', x, 'linear'));
  }

  private loss(p: TF.Tensor4D, t: TF.Tensor4D): TF.Scalar {
    const { tf } = this;
    const q = tf.sub(1, p);
    const log = (x: TF.Tensor): TF.Tensor => tf.maximum(tf.log(x), -100);
    const bce = tf.neg(tf.mean(tf.add(tf.mul(t, log(p)), tf.mul(tf.sub(1, t), log(q)))));
    const both = tf.add(tf.mul(2, tf.sum(tf.mul(p, t))), 1);
    const dice = tf.sub(1, tf.div(both, tf.add(tf.add(tf.sum(p), tf.sum(t)), 1)));
    return tf.add(tf.mul(bce, BCE_WEIGHT), tf.mul(dice, DICE_WEIGHT)) as TF.Scalar;
  }

  private ready(): PeerConfig {
    if (!this.config) throw new Error('tfjs: setup() comes first.');
    return this.config;
  }

  private variable(name: string): TF.Variable {
    const variable = this.variables.get(name);
    if (!variable) throw new Error(`tfjs: there is no parameter ${name}.`);
    return variable;
  }

  /** The change of layout is no work of tfjs, so it is done once a batch and kept out of later steps. */
  private convert(batch: Batch): { image: Float32Array; mask: Float32Array } {
    const known = this.images.get(batch);
    if (known) return known;
    const { net } = this.ready();
    const plane = net.height * net.width;
    const made = {
      image: nchwToNhwc(batch.image, net.batch, net.inChannels, plane),
      mask: nchwToNhwc(batch.mask, net.batch, net.outChannels, plane),
    };
    this.images.set(batch, made);
    return made;
  }
}

type Four = [number, number, number, number];

function nchwFilterToTfjs(data: Float32Array, [a, b, h, w]: Layer['shape']): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < h * w; k++) out[(k * b + j) * a + i] = data[(i * b + j) * h * w + k] as number;
  return out;
}

function nchwToNhwc(data: Float32Array, batch: number, channels: number, plane: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++)
        out[(n * plane + i) * channels + c] = data[(n * channels + c) * plane + i] as number;
  return out;
}

function nhwcToNchw(data: Float32Array, batch: number, channels: number, plane: number): Float32Array {
  if (channels === 1) return data;
  const out = new Float32Array(data.length);
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++)
        out[(n * channels + c) * plane + i] = data[(n * plane + i) * channels + c] as number;
  return out;
}
