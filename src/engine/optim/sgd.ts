import { fail } from '../errors.js';
import { type SgdOptions as SgdKernelOptions, sgd } from '../kernels/optim.js';
import { recordUpdate } from '../plan/update.js';
import { Parameter, type Tensor } from '../tensor.js';
import { checkGradients } from './gradients.js';
import type { GradScaler } from './gradScaler.js';

/** As torch.optim.SGD's; what may change from step to step (`lr`, `momentum`) is given to each run. */
export interface SGDOptions {
  readonly dampening?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
  /** False keeps no momentum state, which saves a parameter's worth of memory. */
  readonly momentum?: boolean;
  /** For gradients of `scaler.scale(loss)`. */
  readonly scaler?: GradScaler | undefined;
}

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD. The learning rate and the momentum are the run-time
 * scalars `lr` and `momentum`, given to each run, so that a schedule needs no new program. All parameters are updated in
 * as few launches as they have flat buffers.
 */
export class SGD {
  readonly #parameters: readonly Parameter[];
  /** One a parameter; empty without momentum. Saved with a checkpoint. */
  readonly momentumBuffers: readonly Parameter[];
  readonly scaler: GradScaler | undefined;

  constructor(
    parameters: readonly Parameter[],
    private readonly options: SGDOptions = {},
  ) {
    const { dampening = 0, nesterov = false, momentum = true } = options;
    if (nesterov && (!momentum || dampening !== 0))
      fail('SGD: Nesterov momentum needs momentum, and a dampening of 0.');
    this.#parameters = parameters;
    this.scaler = options.scaler;
    this.momentumBuffers = momentum
      ? parameters.map((p) => new Parameter(p.shape, null, `momentum.${p.name}`))
      : [];
  }

  /** Makes the update with these gradients, one a parameter, part of the program being compiled. */
  update(gradients: readonly Tensor[]): void {
    checkGradients('SGD', this.#parameters, gradients);
    const { dampening = 0, weightDecay = 0, nesterov = false, momentum = true } = this.options;
    const options: SgdKernelOptions = { dampening, weightDecay, nesterov, momentumZero: !momentum };
    recordUpdate({
      name: 'sgd',
      state: momentum ? [this.#parameters, this.momentumBuffers] : [this.#parameters],
      gradients,
      scaling: this.scaler?.scaling,
      lower: ([params, buffer], grads, ctx, scaler) =>
        sgd({ params: params ?? fail('sgd: no parameters.'), grads, momentum: buffer, scaler }, options, ctx),
    });
  }
}
