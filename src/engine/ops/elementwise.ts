import type { BinaryOp, UnaryOp } from '../kernels/elementwise.js';
import { binary, unary } from '../kernels/elementwise.js';
import type { Op } from '../op.js';

export type UnaryKind = UnaryOp;
export type BinaryKind = BinaryOp;

export interface UnaryAttrs {
  readonly kind: UnaryKind;
  /** Parameters of the kind: slope, bounds, exponent, addend, factor. */
  readonly a: number;
  readonly b: number;
}

export interface BinaryAttrs {
  readonly kind: BinaryKind;
}

export const unaryOp: Op<UnaryAttrs> = {
  name: 'unary',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [x], output, attrs }, ctx) =>
    unary(attrs.kind, x as NonNullable<typeof x>, output, { a: attrs.a, b: attrs.b }, ctx),
};

export const binaryOp: Op<BinaryAttrs> = {
  name: 'binary',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [a, b], output, attrs }, ctx) =>
    binary(attrs.kind, a as NonNullable<typeof a>, b as NonNullable<typeof b>, output, ctx),
};
