import { numel } from '../kernel.js';
import {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convTranspose2d,
  type Pair,
  pair,
} from '../ops/conv.js';
import { dropout } from '../ops/dropout.js';
import { type MaxPool2dOptions, maxPool2d } from '../ops/pool.js';
import { Rng } from '../random.js';
import { Parameter, type Tensor } from '../tensor.js';
import { type ForwardOptions, Module } from './module.js';

/** Where initial values come from: a generator shared by the layers of a model, in the order they are made. */
export interface InitOptions {
  readonly generator?: Rng;
}

/**
 * PyTorch's default for convolutions, weight and bias alike: U(-1/sqrt(fan_in), 1/sqrt(fan_in)). The values are drawn
 * when they are first needed, so that a model too large for the adapter, or one that loads its weights, draws none.
 */
function uniform(shape: readonly number[], fanIn: number, generator: Rng): Parameter {
  const bound = 1 / Math.sqrt(fanIn);
  const own = generator.fork();
  return new Parameter(shape, () => {
    const values = new Float32Array(numel(shape));
    for (let i = 0; i < values.length; i++) values[i] = own.uniform(-bound, bound);
    return values;
  });
}

/** As torch.nn.Conv2d. weight [out, in/groups, kh, kw], bias [out]. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    private readonly options: Conv2dOptions & { bias?: boolean } & InitOptions = {},
  ) {
    super();
    const [kh, kw] = pair('Conv2d: kernel size', kernelSize, 1);
    const perGroup = inChannels / (options.groups ?? 1);
    const generator = options.generator ?? Rng.of(0);
    this.weight = uniform([outChannels, perGroup, kh, kw], perGroup * kh * kw, generator);
    this.bias = options.bias === false ? null : uniform([outChannels], perGroup * kh * kw, generator);
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** As torch.nn.ConvTranspose2d. weight [in, out/groups, kh, kw], bias [out]; PyTorch's fan_in is out/groups * kh * kw. */
export class ConvTranspose2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    private readonly options: ConvTranspose2dOptions & { bias?: boolean } & InitOptions = {},
  ) {
    super();
    const [kh, kw] = pair('ConvTranspose2d: kernel size', kernelSize, 1);
    const perGroup = outChannels / (options.groups ?? 1);
    const generator = options.generator ?? Rng.of(0);
    this.weight = uniform([inChannels, perGroup, kh, kw], perGroup * kh * kw, generator);
    this.bias = options.bias === false ? null : uniform([outChannels], perGroup * kh * kw, generator);
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/** As torch.nn.MaxPool2d. */
export class MaxPool2d extends Module {
  constructor(
    private readonly kernelSize: Pair,
    private readonly options: MaxPool2dOptions = {},
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** As torch.nn.ReLU. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** As torch.nn.Sigmoid. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/**
 * As torch.nn.Dropout. `stream` must differ between the dropouts of one model: with equal streams they would drop the
 * same elements.
 */
export class Dropout extends Module {
  constructor(
    private readonly p: number,
    private readonly stream: number,
  ) {
    super();
  }

  forward(x: Tensor, { training }: ForwardOptions): Tensor {
    return dropout(x, this.p, { training, stream: this.stream });
  }
}

/** One module after the other. Parameters are named by position, as torch.nn.Sequential's. */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    this.#layers = layers;
  }

  forward(x: Tensor, options: ForwardOptions): Tensor {
    return this.#layers.reduce((y, layer) => layer.forward(y, options), x);
  }

  override namedParameters(prefix = ''): [string, Parameter][] {
    return this.#layers.flatMap((layer, i) =>
      layer.namedParameters(prefix === '' ? `${i}` : `${prefix}.${i}`),
    );
  }
}
