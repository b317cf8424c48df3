import type { Tensor } from '../tensor.js';
import { sum } from './reduce.js';

/** Undoes broadcasting in a gradient: sums `g` over the axes along which `shape` was repeated. */
export function sumTo(g: Tensor, shape: readonly number[]): Tensor {
  const lead = g.rank - shape.length;
  const axes: number[] = [];
  g.shape.forEach((size, i) => {
    if (i < lead || (shape[i - lead] === 1 && size !== 1)) axes.push(i);
  });
  return axes.length === 0 ? g : sum(g, axes).reshape(shape);
}
