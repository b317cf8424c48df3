/** Bias, activation and dropout on a convolution's result while it is still in a register. */

import random from '../../shaders/common/random.wgsl';
import scalars from '../../shaders/common/scalars.wgsl';
import bias from '../../shaders/conv2d/bias.wgsl';
import noBias from '../../shaders/conv2d/bias_none.wgsl';
import dropout from '../../shaders/conv2d/dropout.wgsl';
import noDropout from '../../shaders/conv2d/dropout_none.wgsl';
import epilogue from '../../shaders/conv2d/epilogue.wgsl';
import epilogueConstants from '../../shaders/conv2d/epilogue_constants.wgsl';
import sharedEpilogue from '../../shaders/conv2d/epilogue_shared.wgsl';
import type { Binding, Constants, Lowering, Operand, Shader } from '../kernel.js';
import { bind } from './conv2dProblem.js';
import { dropoutConstants } from './dropoutConstants.js';

export interface Epilogue {
  /** One value for each channel of the result, contiguous. */
  readonly bias?: Operand | undefined;
  readonly activation?: 'relu' | 'sigmoid' | undefined;
  /** `p`: probability of dropping an element; `stream`: which dropout of the model this is. */
  readonly dropout?: { readonly p: number; readonly stream: number } | undefined;
  /** In the place of dropout: what else decides which elements pass. */
  readonly gate?: Gate | undefined;
}

/** A piece that says `passed`, and what it needs. */
export type Gate = Omit<EpilogueParts, 'label'> & { readonly label?: string };

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
  const gate = gateOf(e, ctx);
  return {
    pieces: [epilogueConstants, e.bias ? bias : noBias, ...gate.pieces, epilogue],
    bindings: [...(e.bias ? [bind(8, e.bias, 'read')] : []), ...gate.bindings],
    constants: {
      ...gate.constants,
      ACTIVATION: ACTIVATIONS[e.activation ?? 'none'],
      BIAS_OFFSET: e.bias?.layout.offset ?? 0,
      STREAM: e.dropout?.stream ?? 0,
    },
    label: label(e),
  };
}

/**
 * The parts for a pipeline that serves many ops: whether there are bias and relu is read at run time, from `words` at
 * the place that epilogue_shared.wgsl says. `anything`: an operand that the kernel only reads, bound where there is no bias.
 */
export function sharedEpilogueParts(
  e: Epilogue,
  anything: Operand,
  ctx: Lowering,
): EpilogueParts & { readonly words: readonly number[] } {
  const gate = gateOf(e, ctx);
  return {
    pieces: [...gate.pieces, sharedEpilogue],
    bindings: [bind(8, e.bias ?? anything, 'read'), ...gate.bindings],
    constants: { ...gate.constants, SIGMOID: e.activation === 'sigmoid' ? 1 : 0 },
    label: label(e),
    words: [
      e.bias ? 1 : 0,
      e.bias?.layout.offset ?? 0,
      e.activation === 'relu' ? 1 : 0,
      e.dropout?.stream ?? 0,
    ],
  };
}

function gateOf({ dropout: drop, gate }: Epilogue, ctx: Lowering): Gate {
  if (gate) return gate;
  if (!drop || drop.p === 0) return { pieces: [noDropout], bindings: [], constants: {} };
  return {
    pieces: [scalars, random, dropout],
    bindings: [bind(15, ctx.scalars, 'uniform')],
    constants: { ...dropoutConstants(drop.p), SEED: ctx.scalar('seed'), STEP: ctx.scalar('step') },
  };
}

function label(e: Epilogue): string {
  return `${e.bias ? '+bias' : ''}${e.activation ? `+${e.activation}` : ''}${e.dropout && e.dropout.p > 0 ? '+dropout' : ''}${e.gate?.label ?? ''}`;
}
