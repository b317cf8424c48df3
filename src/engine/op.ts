import type { DeviceFacts, Launch, Lowering, Operand } from './kernel.js';
import type { PlanNode } from './plan/graph.js';
import type { Seen } from './plan/rewrite.js';
import type { Tensor } from './tensor.js';

/**
 * How an operand may lie in memory for an op's kernels:
 * `any` strides; `planes`, where all axes but the first are contiguous; `contiguous` (an offset is always allowed).
 */
export type LayoutNeed = 'any' | 'planes' | 'contiguous';

export interface LowerInput<A> {
  readonly inputs: readonly Operand[];
  readonly output: Operand;
  readonly attrs: A;
}

export interface GradInput<A> {
  /** Gradient of the loss with respect to this op's output; same shape as `output`. */
  readonly gy: Tensor;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attrs: A;
  /** Which inputs a gradient is wanted for; the rest may be null. */
  readonly needs: readonly boolean[];
}

/** An op: its kernels. The shape rule is in the function that makes the tensor, the gradient in a {@link Gradient}. */
export interface Op<A = unknown> {
  readonly name: string;
  readonly inputLayout: LayoutNeed;
  readonly outputLayout: LayoutNeed;
  lower(io: LowerInput<A>, ctx: Lowering): Launch[];
  /**
   * Gradients for each input, as graph: for an op made outside the engine. The engine's own are listed in
   * ops/gradients.ts, so that a page that only infers does not carry them and the kernels they need.
   */
  gradient?(g: GradInput<A>): (Tensor | null)[];
  /** A better way to compute `node`, which is of this op; null where there is none. */
  rewrite?(node: PlanNode, attrs: A, seen: Seen): PlanNode | null;
  /** `node`, of this op, that does its only reader's work too; null where it cannot. */
  absorb?(node: PlanNode, attrs: A, reader: PlanNode): PlanNode | null;
  /** The other way round: `input`, which nothing else reads, with the work of `node`, of this op, done as well; null where it cannot. */
  join?(node: PlanNode, attrs: A, input: PlanNode, facts: DeviceFacts): PlanNode | null;
  /**
   * For ops that only look at their input differently: the layout of the output in the input's storage,
   * or null where this layout cannot be viewed so (then `lower` copies).
   */
  view?(io: {
    readonly input: Operand;
    readonly shape: readonly number[];
    readonly attrs: A;
  }): Operand['layout'] | null;
}

/** How gradients go back through an op, written in ops. */
export interface Gradient<A = unknown> {
  readonly of: Op<A>;
  /** Gradients for each input, as graph; null where the op is flat in it or none is needed. */
  rule(g: GradInput<A>): (Tensor | null)[];
}
