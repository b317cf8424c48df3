/** The U-Net every peer builds: its sizes, its parameters in order, and weights that are the same for all of them. */

export interface NetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Levels, the bottom one included. */
  readonly depth: number;
  /** Channels of the first level; each level below has twice as many. */
  readonly baseChannels: number;
  /** Probability of dropping an element between the two convolutions of a block; 0 leaves dropout out. */
  readonly dropout: number;
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/** 3 in, 1 out, levels of 16, 32, 64 and 128 channels, 128x128, batch 4. */
export const SMALL: NetConfig = {
  inChannels: 3,
  outChannels: 1,
  depth: 4,
  baseChannels: 16,
  dropout: 0.6,
  batch: 4,
  height: 128,
  width: 128,
};

/** The reference's U-Net: levels of 64 to 1024 channels, 256x256, batch 4. */
export const FULL: NetConfig = { ...SMALL, depth: 5, baseChannels: 64, height: 256, width: 256 };

/** Small enough to check every peer's arithmetic in a moment; no dropout, so that losses can be compared. */
export const TINY: NetConfig = {
  ...SMALL,
  depth: 3,
  baseChannels: 4,
  dropout: 0,
  batch: 2,
  height: 32,
  width: 32,
};

/** A convolution with its place in the net: `weight` and `bias` are parameters `NAME.weight` and `NAME.bias`. */
export interface Layer {
  readonly name: string;
  readonly kind: 'conv' | 'transposed';
  /** PyTorch's layout: (out, in, kh, kw), for a transposed convolution (in, out, kh, kw). */
  readonly shape: readonly [number, number, number, number];
  readonly outChannels: number;
}

/** All layers in the order they run. */
export function netLayers(net: NetConfig): Layer[] {
  const layers: Layer[] = [];
  const conv = (name: string, from: number, to: number, size: number): void => {
    layers.push({ name, kind: 'conv', shape: [to, from, size, size], outChannels: to });
  };
  let channels = net.inChannels;
  for (let level = 0; level < net.depth; level++) {
    const wide = net.baseChannels * 2 ** level;
    conv(`down.${level}.conv1`, channels, wide, 3);
    conv(`down.${level}.conv2`, wide, wide, 3);
    channels = wide;
  }
  for (let level = net.depth - 2; level >= 0; level--) {
    const wide = net.baseChannels * 2 ** level;
    layers.push({
      name: `up.${level}.up`,
      kind: 'transposed',
      shape: [channels, wide, 2, 2],
      outChannels: wide,
    });
    conv(`up.${level}.conv1`, 2 * wide, wide, 3);
    conv(`up.${level}.conv2`, wide, wide, 3);
    channels = wide;
  }
  conv('last', channels, net.outChannels, 1);
  return layers;
}

/** Parameter values by name, in PyTorch's layout. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** A small counter-based generator (murmur3's finaliser), so that any language can write the same numbers. In [0, 1). */
export function uniform(seed: number, index: number): number {
  let h = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  h = (h ^ (h >>> 16)) >>> 0;
  return (h >>> 8) / 2 ** 24;
}

/** Every weight and bias is U(-1/sqrt(fan_in), 1/sqrt(fan_in)), fan_in = shape[1] * kh * kw. */
export function initialWeights(net: NetConfig, seed = 1): Weights {
  const weights = new Map<string, Float32Array>();
  let index = 0;
  for (const { name, shape, outChannels } of netLayers(net)) {
    const bound = 1 / Math.sqrt(shape[1] * shape[2] * shape[3]);
    const draw = (): number => (2 * uniform(seed, index++) - 1) * bound;
    weights.set(
      `${name}.weight`,
      Float32Array.from({ length: shape[0] * shape[1] * shape[2] * shape[3] }, draw),
    );
    weights.set(`${name}.bias`, Float32Array.from({ length: outChannels }, draw));
  }
  return weights;
}

/** One batch in NCHW: images in [0, 1) and masks of 0 and 1. */
export interface Batch {
  readonly image: Float32Array;
  readonly mask: Float32Array;
}

/** Noise with a bright disc in each image; the mask is the disc. */
export function syntheticBatch(net: NetConfig, seed = 2): Batch {
  const { batch, inChannels, outChannels, height, width } = net;
  const plane = height * width;
  const image = new Float32Array(batch * inChannels * plane);
  const mask = new Float32Array(batch * outChannels * plane);
  for (let n = 0; n < batch; n++) {
    const cy = height * (0.3 + 0.4 * uniform(seed, 3 * n));
    const cx = width * (0.3 + 0.4 * uniform(seed, 3 * n + 1));
    const radius = Math.min(height, width) * (0.1 + 0.1 * uniform(seed, 3 * n + 2));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = Math.hypot(y - cy, x - cx) < radius;
        for (let c = 0; c < outChannels; c++)
          mask[(n * outChannels + c) * plane + y * width + x] = inside ? 1 : 0;
        for (let c = 0; c < inChannels; c++) {
          const at = (n * inChannels + c) * plane + y * width + x;
          image[at] = 0.6 * uniform(seed + 1, at) + (inside ? 0.4 : 0);
        }
      }
    }
  }
  return { image, mask };
}

/** Multiply-adds of the forward pass, times two. A training step is this, plus two gradients for all but the first layer's input. */
export function netFlops(net: NetConfig): { forward: number; step: number } {
  let forward = 0;
  let inputGradient = 0;
  for (const { name, kind, shape } of netLayers(net)) {
    const level = Number(name.split('.')[1] ?? 0);
    // A transposed convolution works at the size of its input, one level further down.
    const side = name === 'last' ? 0 : kind === 'transposed' ? level + 1 : level;
    const flops =
      2 * net.batch * ((net.height * net.width) / 4 ** side) * shape[0] * shape[1] * shape[2] * shape[3];
    forward += flops;
    if (name !== 'down.0.conv1') inputGradient += flops;
  }
  return { forward, step: 2 * forward + inputGradient };
}
