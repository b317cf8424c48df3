import { fail } from '../errors.js';
import { gradScaler, SCALER_WORDS } from '../kernels/gradScaler.js';
import type { Scaling } from '../plan/update.js';
import { Parameter, type Tensor } from '../tensor.js';

export interface GradScalerOptions {
  /** The first scale; a power of two, so that scaling costs no digit. */
  readonly initScale?: number;
  readonly growthFactor?: number;
  readonly backoffFactor?: number;
  /** Steps in a row without overflow after which the scale grows. */
  readonly growthInterval?: number;
}

/** What a scaler's state says, read back. */
export interface ScalerValues {
  /** Of the next step. */
  readonly scale: number;
  /** Steps skipped so far. */
  readonly skipped: number;
}

/**
 * Dynamic loss scaling, as torch.amp.GradScaler, for gradients in f16, where small ones would be lost. Give it to an
 * optimiser and take gradients of `scaler.scale(loss)`. A step whose gradients overflow changes no weight and halves the
 * scale; the GPU decides that by itself.
 */
export class GradScaler {
  /** Scale, growth and what else `scaler_state.wgsl` lists. Saved with a checkpoint. */
  readonly state: Parameter;
  readonly #options: Required<Omit<GradScalerOptions, 'initScale'>>;

  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options;
    if (!(initScale > 0 && growthFactor > 1 && backoffFactor > 0 && backoffFactor < 1))
      fail('GradScaler: the scale must be above 0, the growth factor above 1, the backoff factor in 0..1.');
    if (!Number.isInteger(growthInterval) || growthInterval < 1)
      fail(`GradScaler: the growth interval must be a whole number of at least 1, not ${growthInterval}.`);
    this.#options = { growthFactor, backoffFactor, growthInterval };
    const first = new Float32Array(SCALER_WORDS);
    first[0] = initScale;
    this.state = new Parameter([SCALER_WORDS], first, 'scaler');
  }

  /** The loss (a single value, f32) times the scale. */
  scale(loss: Tensor): Tensor {
    return loss.mul(this.state.slice(0, 0, 1).reshape(loss.shape));
  }

  /** For the update that an optimiser records. */
  get scaling(): Scaling {
    return {
      state: this.state,
      lower: (gradients, state, ctx) => gradScaler(gradients, state, this.#options, ctx),
    };
  }

  /** What the words of {@link state} say. */
  static read(state: ArrayLike<number>): ScalerValues {
    return { scale: state[0] as number, skipped: state[2] as number };
  }
}
