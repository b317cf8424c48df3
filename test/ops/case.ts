import { type Array64, array64, numel } from '../reference/array.js';
import { distinct, seedOf, signed, uniform, whole } from '../reference/generator.js';
import type { OpName, OpOptions } from '../reference/registry.js';

/** How an input's values are drawn; see the generator. */
export type Kind = 'uniform' | 'signed' | 'distinct' | 'whole';

export interface InputSpec {
  readonly shape: readonly number[];
  readonly kind: Kind;
  readonly low: number;
  readonly high: number;
  /** False for targets and the like, whose gradient is not asked for. */
  readonly gradient: boolean;
}

/** One op at one set of shapes and options, with inputs that its name determines. */
export interface OpCase<Name extends OpName = OpName> {
  readonly name: string;
  readonly op: Name;
  readonly options: OpOptions[Name];
  readonly inputs: readonly InputSpec[];
  /** True where a value or gradient sums more than 1e5 terms, so that float32 is given 1e-4 and not 1e-5. */
  readonly long: boolean;
}

export type AnyCase = { [Name in OpName]: OpCase<Name> }[OpName];

const generators = { uniform, signed, distinct, whole };

export function inputValues(opCase: AnyCase): Array64[] {
  const seed = seedOf(opCase.name);
  return opCase.inputs.map(({ shape, kind, low, high }, i) =>
    array64(shape, generators[kind](seed + i, numel(shape), low, high)),
  );
}

/** Random numbers in -1..1 to weigh the result by; `which` tells apart several for one case. */
export function cotangent(opCase: AnyCase, shape: readonly number[], which = 0): Array64 {
  return array64(shape, uniform(seedOf(opCase.name) + 100 + which, numel(shape), -1, 1));
}

export function tolerance(opCase: AnyCase): number {
  return opCase.long ? 1e-4 : 1e-5;
}

type Values = Partial<Omit<InputSpec, 'shape'>>;

/** An input of `shape`; between -1 and 1 unless said otherwise. */
export function of(shape: readonly number[], values: Values = {}): InputSpec {
  return { shape, kind: 'uniform', low: -1, high: 1, gradient: true, ...values };
}

/** A case named `op name`. The name also seeds its values. */
export function opCase<Name extends OpName>(
  op: Name,
  name: string,
  inputs: readonly InputSpec[],
  options: OpOptions[Name],
  more: { long?: boolean } = {},
): OpCase<Name> {
  return { name: `${op} ${name}`, op, options, inputs, long: more.long ?? false };
}
