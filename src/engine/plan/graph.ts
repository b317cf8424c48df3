import type { DType } from '../kernel.js';
import type { Op } from '../op.js';
import type { Leaf, Tensor } from '../tensor.js';
import type { Effect } from '../trace.js';
import { inCreationOrder } from '../walk.js';

/** A node of the plan's own copy of the graph, which the passes rewrite. */
export interface PlanNode {
  readonly op: Op | null;
  readonly inputs: readonly PlanNode[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly attrs: unknown;
  readonly leaf: Leaf | null;
  /** The tensor it stands for. */
  readonly tensor: Tensor;
  /** Place in the order of computing: creation order of what it stands for. */
  readonly order: number;
}

export interface PlanGraph {
  /** Inputs before users, by `order`. */
  nodes: PlanNode[];
  readonly outputs: ReadonlyMap<string, PlanNode>;
  /** The node of each tensor that an effect reads. */
  readonly read: ReadonlyMap<Tensor, PlanNode>;
}

/** Attributes as text that tells them apart: JSON alone would take NaN and both infinities for null, and -0 for 0. */
export function attrsKey(attrs: unknown): string {
  return JSON.stringify(attrs, (_key, value: unknown) => {
    if (Object.is(value, -0)) return '#-0';
    return typeof value === 'number' && !Number.isFinite(value) ? `#${value}` : value;
  });
}

/** Equal op, attributes and inputs give the same node, so that a sub-expression is computed once. */
export function buildGraph(outputs: ReadonlyMap<string, Tensor>, effects: readonly Effect[]): PlanGraph {
  const reads = effects.flatMap((effect) => effect.reads);
  const nodes: PlanNode[] = [];
  const made = new Map<Tensor, PlanNode>();
  const known = new Map<string, PlanNode>();
  for (const tensor of inCreationOrder(...outputs.values(), ...reads)) {
    const inputs = tensor.inputs.map((input) => made.get(input) as PlanNode);
    const key = tensor.op
      ? `${tensor.op.name}|${attrsKey(tensor.attrs)}|${tensor.dtype}|${tensor.shape.join()}|${inputs.map((n) => n.order).join()}`
      : null;
    const same = key === null ? undefined : known.get(key);
    if (same) {
      made.set(tensor, same);
      continue;
    }
    const { op, shape, dtype, attrs, leaf } = tensor;
    const node: PlanNode = { op, inputs, shape, dtype, attrs, leaf, tensor, order: tensor.id };
    nodes.push(node);
    made.set(tensor, node);
    if (key !== null) known.set(key, node);
  }
  const resolve = (t: Tensor) => made.get(t) as PlanNode;
  return {
    nodes,
    outputs: new Map([...outputs].map(([name, t]) => [name, resolve(t)])),
    read: new Map(reads.map((t) => [t, resolve(t)])),
  };
}

/** Users of each node among nodes; what the program itself gives out or an effect reads counts one more. */
export function countUses(graph: PlanGraph): Map<PlanNode, PlanNode[]> {
  const users = new Map<PlanNode, PlanNode[]>();
  for (const node of graph.nodes) users.set(node, []);
  for (const node of graph.nodes)
    for (const input of node.inputs) (users.get(input) as PlanNode[]).push(node);
  return users;
}

export function rootNodes(graph: PlanGraph): Set<PlanNode> {
  return new Set([...graph.outputs.values(), ...graph.read.values()]);
}
