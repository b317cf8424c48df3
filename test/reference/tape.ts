import { type Array64, plus, zeros } from './array.js';
import { type Call, type OpName, referenceForward, referenceVjp } from './registry.js';

/** A value of a computation, and its gradient once {@link Tape.backward} has run. */
export interface Node {
  readonly value: Array64;
  gradient: Array64;
}

/** Records calls of reference ops so that a whole model can be run and differentiated in float64. */
export class Tape {
  private readonly undo: (() => void)[] = [];

  leaf(value: Array64): Node {
    return { value, gradient: zeros(value.shape) };
  }

  call<Name extends OpName>(op: Name, inputs: readonly Node[], options: Call<Name>['options']): Node {
    const call = { op, options };
    const values = inputs.map((node) => node.value);
    const out = this.leaf(referenceForward(call, values));
    this.undo.push(() => {
      referenceVjp(call, values, out.gradient).forEach((g, i) => {
        const node = inputs[i];
        if (g && node) node.gradient = plus(node.gradient, g);
      });
    });
    return out;
  }

  /** Fills in the gradients of everything that `loss`, a scalar, was made of. */
  backward(loss: Node): void {
    loss.gradient.data.fill(1);
    for (const step of this.undo.reverse()) step();
  }
}
