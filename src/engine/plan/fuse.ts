/**
 * Rewrites that save passes over memory. The rules are the ops' own, so that a page has those of the ops it has; what is left
 * without a user goes. A rule may only merge a node that nothing else reads.
 */
import type { DeviceFacts } from '../kernel.js';
import { countUses, type PlanGraph, type PlanNode, rootNodes } from './graph.js';
import type { Seen } from './rewrite.js';

type Rule = (node: PlanNode, seen: Seen) => PlanNode | null;

const rewritten: Rule = (node, seen) => node.op?.rewrite?.(node, node.attrs, seen) ?? null;

/** The reader's place in the order of computing is that of the node which does its work. */
const absorbed: Rule = (node, { single, facts }) => {
  for (const input of node.inputs) {
    if (!single(input)) continue;
    const whole =
      input.op?.absorb?.(input, input.attrs, node) ?? node.op?.join?.(node, node.attrs, input, facts);
    if (whole) return { ...whole, tensor: node.tensor, order: node.order };
  }
  return null;
};

function applyRule(graph: PlanGraph, rule: Rule, facts: DeviceFacts): PlanGraph {
  const users = countUses(graph);
  const roots = rootNodes(graph);
  const replaced = new Map<PlanNode, PlanNode>();
  const now = (node: PlanNode): PlanNode => replaced.get(node) ?? node;
  const origin = new Map<PlanNode, PlanNode>();
  const original = (node: PlanNode): PlanNode => origin.get(node) ?? node;
  const seen: Seen = {
    users: (node) => (users.get(original(node)) ?? []).map(now),
    facts,
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

export function fuse(graph: PlanGraph, facts: DeviceFacts): PlanGraph {
  return [rewritten, absorbed].reduce((now, rule) => applyRule(now, rule, facts), graph);
}
