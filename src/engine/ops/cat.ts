import { fail, shapeText } from '../errors.js';
import { axisIndex, reals, Tensor } from '../tensor.js';
import { catOp } from './movement.js';

/** Joins tensors along `axis`, as torch.cat: all other sizes must agree. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = tensors[0];
  if (!first) fail('cat: no tensors were given.');
  reals('cat', ...tensors);
  const k = axisIndex('cat', axis, first.rank);
  const shape = [...first.shape];
  for (const t of tensors.slice(1)) {
    if (t.dtype !== first.dtype)
      fail(
        `cat: ${shapeText(t.shape)} is ${t.dtype}, but the first tensor is ${first.dtype}; convert it first.`,
      );
    if (t.rank !== first.rank || t.shape.some((size, i) => i !== k && size !== first.shape[i])) {
      fail(
        `cat: ${shapeText(t.shape)} does not join ${shapeText(first.shape)} along axis ${axis}: the other sizes must agree.`,
      );
    }
    shape[k] = (shape[k] as number) + (t.shape[k] as number);
  }
  return tensors.length === 1 ? first : Tensor.of(catOp, tensors, shape, { axis: k }, first.dtype);
}
