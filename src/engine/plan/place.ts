/**
 * Decides which tensors are written straight to where they are wanted: a part of a concat into the joined tensor,
 * a gradient into the flat buffer that the optimiser reads. What cannot be so written is copied.
 */
import type { Operand } from '../kernel.js';
import { satisfies } from '../layout.js';
import type { Op } from '../op.js';
import { catOp } from '../ops/movement.js';
import type { PlanNode } from './graph.js';

/** The node whose storage `node` really shares: through views and through placement. */
export type Owner = (node: PlanNode) => unknown;

/** True where every node that reads `node` could read it from `operand`; views are looked through by their own users. */
function readable(operand: Operand, node: PlanNode, users: ReadonlyMap<PlanNode, PlanNode[]>): boolean {
  return (users.get(node) ?? []).every(
    (user) => user.op?.view !== undefined || !user.op || satisfies(operand, user.op.inputLayout),
  );
}

/** True where the kernel that makes `node` may write to `operand`. */
export function writable(node: PlanNode, operand: Operand): boolean {
  return node.op !== null && !node.op.view && satisfies(operand, node.op.outputLayout);
}

export function isCat(node: PlanNode): node is PlanNode & { attrs: { axis: number } } {
  return node.op === (catOp as Op);
}

/** Whatever writes into a place: the nodes put there, a concat that copies its other parts, an update that does. */
export interface Tenant {
  readonly inputs: readonly PlanNode[];
}

/**
 * Whether `part` may be written into a place owned by `owner`. A kernel cannot read and write one buffer, so the kernel
 * that makes `part` must read nothing that lies there, and none of the `tenants` already there may read `part`, be it
 * through a view.
 */
export function mayPlace(
  part: PlanNode,
  operand: Operand,
  owner: unknown,
  tenants: readonly Tenant[],
  ownerOf: Owner,
  users: ReadonlyMap<PlanNode, PlanNode[]>,
): boolean {
  if (!writable(part, operand) || !readable(operand, part, users)) return false;
  if (part.inputs.some((input) => ownerOf(input) === owner)) return false;
  return !tenants.some((tenant) => tenant.inputs.some((input) => ownerOf(input) === ownerOf(part)));
}
