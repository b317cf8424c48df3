import { fail } from '../errors.js';
import { adam } from '../kernels/optim.js';
import { recordUpdate } from '../plan/update.js';
import { Parameter, type Tensor } from '../tensor.js';
import { checkGradients } from './gradients.js';
import type { GradScaler } from './gradScaler.js';

/** As torch.optim.Adam's: betas .9 and .999, eps 1e-8, no decay unless given; `lr` is given to each run. */
export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  /** AdamW: the decay shrinks the parameters themselves rather than adding to the gradient. */
  readonly decoupled?: boolean;
  /** For gradients of `scaler.scale(loss)`. */
  readonly scaler?: GradScaler | undefined;
}

/**
 * Adam, as torch.optim.Adam. The learning rate is the run-time scalar `lr`; the bias correction follows the run-time
 * scalar `step`, counted from 0. All parameters are updated in as few launches as they have flat buffers.
 */
export class Adam {
  /** Moving averages of the gradients and of their squares, one a parameter. Saved with a checkpoint. */
  readonly firstMoments: readonly Parameter[];
  readonly secondMoments: readonly Parameter[];
  readonly scaler: GradScaler | undefined;

  constructor(
    private readonly parameters: readonly Parameter[],
    private readonly options: AdamOptions = {},
  ) {
    this.scaler = options.scaler;
    const like = (prefix: string) =>
      parameters.map((p) => new Parameter(p.shape, null, `${prefix}.${p.name}`));
    this.firstMoments = like('exp_avg');
    this.secondMoments = like('exp_avg_sq');
  }

  /** Makes the update with these gradients, one a parameter, part of the program being compiled. */
  update(gradients: readonly Tensor[]): void {
    checkGradients('Adam', this.parameters, gradients);
    const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, decoupled = false } = this.options;
    recordUpdate({
      name: 'adam',
      state: [this.parameters, this.firstMoments, this.secondMoments],
      gradients,
      scaling: this.scaler?.scaling,
      lower: ([params, mean, square], grads, ctx, scaler) => {
        if (!params || !mean || !square) fail('adam: no parameters.');
        return adam(
          { params, grads, mean, square, scaler },
          { betas: [betas[0], betas[1]], eps, weightDecay, decoupled },
          ctx,
        );
      },
    });
  }
}
