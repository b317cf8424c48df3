import { fill } from '../kernels/elementwise.js';
import type { Op } from '../op.js';

/** One value everywhere. */
export const fillOp: Op<{ readonly value: number }> = {
  name: 'fill',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ output, attrs }, ctx) => fill(attrs.value, output, ctx),
};
