import type { Tensor } from './tensor.js';

/** Everything `root` is made of, inputs before what uses them. Recursion would overflow on deep graphs. */
export function inCreationOrder(...roots: readonly Tensor[]): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...roots];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    stack.push(...t.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
