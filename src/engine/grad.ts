import { fail, shapeText } from './errors.js';
import type { GradInput, Op } from './op.js';
import { gradients as builtIn } from './ops/gradients.js';
import { sameShape, Tensor } from './tensor.js';
import { inCreationOrder } from './walk.js';

type Rule = (g: GradInput<unknown>) => (Tensor | null)[];
let rules: Map<Op, Rule> | undefined;

function ruleOf(op: Op): Rule {
  rules ??= new Map(builtIn.map(({ of, rule }) => [of, rule]));
  return rules.get(op) ?? op.gradient ?? fail(`grad: ${op.name} has no gradient.`);
}

/**
 * Gradients of a scalar `loss` with respect to each of `targets`, as more graph: no tape, no state.
 * A target that the loss does not depend on is an error, since a zero there is nearly always a mistake.
 */
export function grad<const T extends readonly Tensor[]>(
  loss: Tensor,
  targets: T,
): { [K in keyof T]: Tensor } {
  if (loss.size !== 1)
    fail(`grad: the loss must be a single value, but it is ${shapeText(loss.shape)}; take its sum or mean.`);
  const wanted = new Set(targets);
  const order = inCreationOrder(loss);
  // Only what lies between a target and the loss needs a gradient.
  const reaches = new Set<Tensor>();
  for (const t of order) {
    if (wanted.has(t) || t.inputs.some((input) => reaches.has(input))) reaches.add(t);
  }
  const gradients = new Map<Tensor, Tensor>();
  if (reaches.has(loss)) {
    const one = Tensor.full(loss.shape, 1);
    gradients.set(loss, loss.dtype === 'f16' ? one.half() : one);
  }
  for (const t of order.reverse()) {
    const gy = gradients.get(t);
    if (!gy || !t.op) continue;
    const needs = t.inputs.map((input) => reaches.has(input));
    if (!needs.includes(true)) continue;
    const parts = ruleOf(t.op)({ gy, inputs: t.inputs, output: t, attrs: t.attrs, needs });
    t.inputs.forEach((input, i) => {
      const part = parts[i];
      if (!part || !needs[i]) return;
      if (!sameShape(part.shape, input.shape)) {
        fail(
          `grad: ${t.op?.name} gave a gradient ${shapeText(part.shape)} for an input ${shapeText(input.shape)}.`,
        );
      }
      const sofar = gradients.get(input);
      gradients.set(input, sofar ? sofar.add(part) : part);
    });
  }
  return targets.map((target, i) => {
    const g = gradients.get(target);
    if (!g)
      fail(
        `grad: the loss does not depend on target ${i} ${shapeText(target.shape)} through anything differentiable.`,
      );
    return g;
  }) as { [K in keyof T]: Tensor };
}
