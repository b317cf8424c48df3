/** What ops bring to the pass that fuses: rules from one node to its replacement, or null to leave it. */
import type { DeviceFacts } from '../kernel.js';
import type { Op } from '../op.js';
import type { PlanNode } from './graph.js';

export interface Seen {
  /** What reads `node`. */
  users(node: PlanNode): readonly PlanNode[];
  /** True where `node` has no reader but one, and is not given out. */
  single(node: PlanNode): boolean;
  /** What the plan is for. */
  readonly facts: DeviceFacts;
}

export function isOp<A>(node: PlanNode | undefined, op: Op<A>): node is PlanNode & { readonly attrs: A } {
  return node !== undefined && node.op === (op as Op);
}
