/** Bias, activation and dropout on a convolution's result while it is still in a register. */

import random from '../../shaders/common/random.wgsl';
import scalars from '../../shaders/common/scalars.wgsl';
import bias from '../../shaders/conv2d/bias.wgsl';
import noBias from '../../shaders/conv2d/bias_none.wgsl';
import dropout from '../../shaders/conv2d/dropout.wgsl';
import noDropout from '../../shaders/conv2d/dropout_none.wgsl';
import epilogue from '../../shaders/conv2d/epilogue.wgsl';
import epilogueConstants from '../../shaders/conv2d/epilogue_constants.wgsl';
import type { Binding, Constants, Lowering, Operand, Shader } from '../kernel.js';
import { bind } from './conv2dProblem.js';
import { dropoutConstants } from './dropoutConstants.js';

export interface Epilogue {
  /** One value for each channel of the result, contiguous. */
  readonly bias?: Operand | undefined;
  readonly activation?: 'relu' | 'sigmoid' | undefined;
  /** `p`: probability of dropping an element; `stream`: which dropout of the model this is. */
  readonly dropout?: { readonly p: number; readonly stream: number } | undefined;
}

export interface EpilogueParts {
  readonly pieces: readonly Shader[];
  readonly bindings: readonly Binding[];
  readonly constants: Constants;
  /** For the printed plan: `+bias+relu`. */
  readonly label: string;
}

const ACTIVATIONS = { none: 0, relu: 1, sigmoid: 2 } as const;

/** The parts with the op's own numbers as constants: for a pipeline of its own. */
export function epilogueParts(e: Epilogue, ctx: Lowering): EpilogueParts {
  const shared = sharedEpilogueParts(e, ctx);
  return {
    ...shared,
    pieces: [epilogueConstants, ...shared.pieces],
    constants: {
      ...shared.constants,
      BIAS_OFFSET: e.bias?.layout.offset ?? 0,
      STREAM: e.dropout?.stream ?? 0,
    },
  };
}

/** The parts for a pipeline that serves many ops: the kernel itself defines `bias_offset` and `dropout_stream`. */
export function sharedEpilogueParts(e: Epilogue, ctx: Lowering): EpilogueParts {
  const pieces: Shader[] = [];
  const bindings: Binding[] = [];
  let constants: Constants = { ACTIVATION: ACTIVATIONS[e.activation ?? 'none'] };
  let label = '';
  if (e.bias) {
    pieces.push(bias);
    bindings.push(bind(8, e.bias, 'read'));
    label += '+bias';
  } else {
    pieces.push(noBias);
  }
  if (e.activation) label += `+${e.activation}`;
  if (e.dropout && e.dropout.p > 0) {
    pieces.push(scalars, random, dropout);
    bindings.push(bind(15, ctx.scalars, 'uniform'));
    constants = {
      ...constants,
      ...dropoutConstants(e.dropout.p),
      SEED: ctx.scalar('seed'),
      STEP: ctx.scalar('step'),
    };
    label += '+dropout';
  } else {
    pieces.push(noDropout);
  }
  pieces.push(epilogue);
  return { pieces, bindings, constants, label };
}
