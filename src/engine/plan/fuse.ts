/**
 * Rewrites that save passes over memory. Each is a rule from one node to its replacement; what is left without a user
 * goes. A rule may only merge a node that nothing else reads.
 */
import type { Op } from '../op.js';
import { castOp } from '../ops/cast.js';
import { type ConvAttrs, conv2dInputGradOp, conv2dOp } from '../ops/conv.js';
import { type DropoutAttrs, dropoutOp } from '../ops/dropout.js';
import { type BinaryAttrs, binaryOp, type UnaryAttrs, unaryOp } from '../ops/elementwise.js';
import { sameShape } from '../tensor.js';
import { countUses, type PlanGraph, type PlanNode, rootNodes } from './graph.js';

interface Seen {
  /** What reads `node`. */
  users(node: PlanNode): readonly PlanNode[];
  /** True where `node` has no reader but one, and is not given out. */
  single(node: PlanNode): boolean;
}

type Rule = (node: PlanNode, seen: Seen) => PlanNode | null;

function isOp<A>(node: PlanNode | undefined, op: Op<A>): node is PlanNode & { readonly attrs: A } {
  return node !== undefined && node.op === (op as Op);
}

/**
 * With d = dropout(relu(x)), the gradient at x is reluGrad(dropout(g), relu(x)). d > 0 says both that x > 0 and that the
 * element was kept, so it equals reluGrad(g, d) scaled by 1/(1-p): neither relu(x) nor the random mask is needed again.
 */
const reluGradThroughDropout: Rule = (node, { users }) => {
  if (!isOp(node, binaryOp) || node.attrs.kind !== 'reluGrad') return null;
  const [g, r] = node.inputs as [PlanNode, PlanNode];
  if (!isOp(g, dropoutOp) || g.attrs.p >= 1) return null;
  const { p, stream } = g.attrs;
  const d = users(r).find(
    (user): user is PlanNode & { attrs: DropoutAttrs } =>
      isOp(user, dropoutOp) && user.attrs.p === p && user.attrs.stream === stream && user.inputs[0] === r,
  );
  if (!d) return null;
  const attrs: BinaryAttrs = { kind: 'reluGrad', a: node.attrs.a / (1 - p) };
  return { ...node, inputs: [g.inputs[0] as PlanNode, d], attrs };
};

function isConv(node: PlanNode | undefined): node is PlanNode & { attrs: ConvAttrs } {
  return isOp(node, conv2dOp) || isOp(node, conv2dInputGradOp);
}

/** ReLU or sigmoid, then dropout, in the epilogue of the convolution before it; and the result in another float type. */
const convEpilogue: Rule = (node, { single }) => {
  const conv = node.inputs[0];
  if (!isConv(conv) || !single(conv)) return null;
  if (isOp(node, castOp) && conv.dtype === 'f16')
    return { ...conv, dtype: node.dtype, tensor: node.tensor, order: node.order };
  if (conv.attrs.dropout) return null;
  if (isOp(node, unaryOp) && !conv.attrs.activation) {
    const { kind } = node.attrs as UnaryAttrs;
    if (kind !== 'relu' && kind !== 'sigmoid') return null;
    return { ...conv, attrs: { ...conv.attrs, activation: kind }, tensor: node.tensor, order: node.order };
  }
  if (isOp(node, dropoutOp)) {
    const { p, stream } = node.attrs;
    if (p >= 1) return null;
    return {
      ...conv,
      attrs: { ...conv.attrs, dropout: { p, stream } },
      tensor: node.tensor,
      order: node.order,
    };
  }
  return null;
};

/** A sum behind an op whose kernel can add as it writes: the gradient of a pooling. */
const addend: Rule = (node, { single }) => {
  if (!isOp(node, binaryOp) || node.attrs.kind !== 'add') return null;
  const [a, b] = node.inputs as [PlanNode, PlanNode];
  for (const [adding, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (
      adding.op?.addendAt === adding.inputs.length &&
      single(adding) &&
      adding !== other &&
      adding.dtype === node.dtype &&
      sameShape(adding.shape, other.shape)
    ) {
      return { ...adding, inputs: [...adding.inputs, other], tensor: node.tensor, order: node.order };
    }
  }
  return null;
};

const rules: readonly Rule[] = [reluGradThroughDropout, convEpilogue, addend];

function applyRule(graph: PlanGraph, rule: Rule): PlanGraph {
  const users = countUses(graph);
  const roots = rootNodes(graph);
  const replaced = new Map<PlanNode, PlanNode>();
  const now = (node: PlanNode): PlanNode => replaced.get(node) ?? node;
  const origin = new Map<PlanNode, PlanNode>();
  const original = (node: PlanNode): PlanNode => origin.get(node) ?? node;
  const seen: Seen = {
    users: (node) => (users.get(original(node)) ?? []).map(now),
    single: (node) => !roots.has(original(node)) && (users.get(original(node)) ?? []).length === 1,
  };
  const nodes: PlanNode[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(now);
    const current = inputs.some((input, i) => input !== node.inputs[i]) ? { ...node, inputs } : node;
    const result = rule(current, seen) ?? current;
    if (result !== node) {
      replaced.set(node, result);
      origin.set(result, node);
    }
    nodes.push(result);
  }
  const outputs = new Map([...graph.outputs].map(([name, node]) => [name, now(node)]));
  const read = new Map([...graph.read].map(([tensor, node]) => [tensor, now(node)]));
  return prune({ nodes, outputs, read });
}

/** Drops what nothing reads any more. */
function prune(graph: PlanGraph): PlanGraph {
  const live = new Set<PlanNode>();
  const stack = [...rootNodes(graph)];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (live.has(node)) continue;
    live.add(node);
    stack.push(...node.inputs);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => live.has(node)) };
}

export function fuse(graph: PlanGraph): PlanGraph {
  return rules.reduce(applyRule, graph);
}
