import { fail, shapeText } from '../engine/errors.js';
import { Conv2d, ConvTranspose2d, Dropout, ReLU, Sequential } from '../engine/nn/layers.js';
import { type ForwardOptions, Module } from '../engine/nn/module.js';
import { cat } from '../engine/ops/cat.js';
import { maxPool2d } from '../engine/ops/pool.js';
import { Rng } from '../engine/random.js';
import type { Tensor } from '../engine/tensor.js';

/** What a U-Net is made of; saved with its weights. */
export interface UNetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Levels, so that there are depth - 1 poolings. */
  readonly depth: number;
  /** Channels of the first level; each level has twice those of the one above. */
  readonly baseChannels: number;
  /** Probability of dropping an element between the two convolutions of a block. */
  readonly dropout: number;
}

/** The reference's model: 31,031,745 parameters. */
export const referenceConfig: UNetConfig = {
  inChannels: 3,
  outChannels: 1,
  depth: 5,
  baseChannels: 64,
  dropout: 0.6,
};

interface Making {
  readonly generator: Rng;
  readonly dropout: number;
  /** Streams of the dropouts, counted up as blocks are made. */
  stream: number;
}

class ConvBlock extends Module {
  readonly conv_block: Sequential;

  constructor(inChannels: number, outChannels: number, making: Making) {
    super();
    const { generator } = making;
    this.conv_block = new Sequential(
      new Conv2d(inChannels, outChannels, 3, { padding: 1, generator }),
      new ReLU(),
      new Dropout(making.dropout, making.stream++),
      new Conv2d(outChannels, outChannels, 3, { padding: 1, generator }),
      new ReLU(),
    );
  }

  forward(x: Tensor, options: ForwardOptions): Tensor {
    return this.conv_block.forward(x, options);
  }
}

class DownBlock extends Module {
  readonly conv_block: ConvBlock;

  constructor(inChannels: number, outChannels: number, making: Making) {
    super();
    this.conv_block = new ConvBlock(inChannels, outChannels, making);
  }

  forward(x: Tensor, options: ForwardOptions): Tensor {
    return this.conv_block.forward(x, options);
  }
}

class UpBlock extends Module {
  readonly up: ConvTranspose2d;
  readonly conv_block: ConvBlock;

  constructor(inChannels: number, outChannels: number, making: Making) {
    super();
    this.up = new ConvTranspose2d(inChannels, outChannels, 2, { stride: 2, generator: making.generator });
    this.conv_block = new ConvBlock(inChannels, outChannels, making);
  }

  forward(): Tensor {
    return fail('An up block takes two inputs: call join().');
  }

  join(x: Tensor, skip: Tensor, options: ForwardOptions): Tensor {
    return this.conv_block.forward(cat([this.up.forward(x), skip], 1), options);
  }
}

/**
 * The U-Net of the reference: blocks of two 3x3 convolutions with ReLU and dropout between, max-pooling by 2 down,
 * transposed convolution 2x2 up, concat in the order [up, skip], a 1x1 convolution and a sigmoid.
 * Parameter names are those of the reference program in torch, so that weights can be exchanged.
 */
export class UNet extends Module {
  readonly down_path: readonly DownBlock[];
  readonly up_path: readonly UpBlock[];
  readonly last: Conv2d;
  readonly config: UNetConfig;

  constructor(config: Partial<UNetConfig> & { readonly seed?: number } = {}) {
    super();
    const { seed = 0, ...given } = config;
    this.config = { ...referenceConfig, ...given };
    checkConfig(this.config);
    const { inChannels, outChannels, depth, baseChannels, dropout } = this.config;
    const making: Making = { generator: Rng.of(seed), dropout, stream: 0 };
    const channels = Array.from({ length: depth }, (_, level) => baseChannels * 2 ** level);
    this.down_path = channels.map(
      (c, level) => new DownBlock(level === 0 ? inChannels : (channels[level - 1] as number), c, making),
    );
    this.up_path = channels
      .slice(0, -1)
      .reverse()
      .map((c) => new UpBlock(c * 2, c, making));
    this.last = new Conv2d(baseChannels, outChannels, 1, { generator: making.generator });
  }

  /** Logits [N, outChannels, H, W] of x [N, inChannels, H, W]; H and W must be multiples of 2^(depth - 1). */
  logits(x: Tensor, options: ForwardOptions = { training: false }): Tensor {
    const { inChannels, depth } = this.config;
    const multiple = 2 ** (depth - 1);
    const [, c, h, w] = x.shape;
    if (x.rank !== 4 || c !== inChannels) {
      fail(`UNet: the input must be [N, ${inChannels}, H, W], but it is ${shapeText(x.shape)}.`);
    }
    if ((h as number) % multiple !== 0 || (w as number) % multiple !== 0) {
      fail(
        `UNet: with depth ${depth}, height and width must be multiples of ${multiple}, but they are ${h} and ${w}; pad or resize the image.`,
      );
    }
    const skips: Tensor[] = [];
    let y = x;
    this.down_path.forEach((block, level) => {
      y = block.forward(y, options);
      if (level === depth - 1) return;
      skips.push(y);
      y = maxPool2d(y, 2);
    });
    for (const block of this.up_path) y = block.join(y, skips.pop() as Tensor, options);
    return this.last.forward(y);
  }

  /** Probabilities [N, outChannels, H, W]. */
  forward(x: Tensor, options: ForwardOptions = { training: false }): Tensor {
    return this.logits(x, options).sigmoid();
  }
}

/** What 32-bit indices reach. */
const MOST_ELEMENTS = 0x7fffffff;

/** Throws where a configuration makes no model. */
export function checkConfig(config: UNetConfig): void {
  const whole = (name: 'inChannels' | 'outChannels' | 'depth' | 'baseChannels') => {
    if (!Number.isInteger(config[name]) || config[name] < 1)
      fail(`UNet: ${name} must be a whole number of at least 1, not ${config[name]}.`);
  };
  whole('inChannels');
  whole('outChannels');
  whole('depth');
  whole('baseChannels');
  // The largest weight is the second one of the lowest level.
  const largest = 9 * (config.baseChannels * 2 ** (config.depth - 1)) ** 2;
  if (largest > MOST_ELEMENTS) {
    fail(
      `UNet: depth ${config.depth} with ${config.baseChannels} base channels needs a weight of ${largest.toPrecision(3)} elements, above the ${MOST_ELEMENTS} of a tensor; use fewer levels or channels.`,
    );
  }
  if (!(config.dropout >= 0 && config.dropout < 1))
    fail(`UNet: dropout must be at least 0 and below 1, not ${config.dropout}.`);
}
