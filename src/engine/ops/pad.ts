import { fail, shapeText } from '../errors.js';
import type { Operand } from '../kernel.js';
import { pad as padLaunch } from '../kernels/movement.js';
import type { Op } from '../op.js';
import { floats, Tensor } from '../tensor.js';

export const padOp: Op<{ readonly before: readonly number[]; readonly value: number }> = {
  name: 'pad',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [x], output, attrs }) => padLaunch(x as Operand, output, [...attrs.before], attrs.value),
};

/**
 * Padding with a constant, as torch.nn.functional.pad. `widths` is in PyTorch's order: [last axis before, last axis after,
 * the axis before it, ...]; negative widths crop. The result has x's dtype, f32 or f16.
 * @throws ShaderGradError where widths are no pairs of whole numbers for axes of x, or leave nothing of one
 */
export function pad(x: Tensor, widths: readonly number[], value = 0): Tensor {
  if (x.dtype === 'f16') return pad(x.float(), widths, value).half();
  floats('pad', x);
  if (widths.length % 2 !== 0 || widths.length > 2 * x.rank || !widths.every(Number.isInteger)) {
    fail(
      `pad: widths must be whole numbers, a pair for each axis from the last on, not ${shapeText(widths)}.`,
    );
  }
  const before = new Array<number>(x.rank).fill(0);
  const shape = [...x.shape];
  for (let i = 0; i < widths.length / 2; i++) {
    const axis = x.rank - 1 - i;
    before[axis] = widths[2 * i] as number;
    shape[axis] = (shape[axis] as number) + (widths[2 * i] as number) + (widths[2 * i + 1] as number);
    if ((shape[axis] as number) < 1)
      fail(`pad: cropping ${shapeText(x.shape)} by ${shapeText(widths)} leaves nothing on axis ${axis}.`);
  }
  return Tensor.of(padOp, [x], shape, { before, value });
}
