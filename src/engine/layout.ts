import type { Operand } from './kernel.js';
import type { LayoutNeed } from './op.js';

/** True where the axes from `first` on lie row-major with no gaps; the offset may be anything. Axes of size 1 do not count. */
function contiguousFrom(x: Operand, first: number): boolean {
  let step = 1;
  for (let i = x.shape.length - 1; i >= first; i--) {
    const size = x.shape[i] as number;
    if (size !== 1 && x.layout.strides[i] !== step) return false;
    step *= size;
  }
  return true;
}

export function isContiguous(x: Operand): boolean {
  return contiguousFrom(x, 0);
}

/** All axes but the first are contiguous: half of a concat on the channel axis lies so. */
export function isPlanes(x: Operand): boolean {
  return contiguousFrom(x, 1);
}

export function satisfies(x: Operand, need: LayoutNeed): boolean {
  return need === 'any' || (need === 'planes' ? isPlanes(x) : isContiguous(x));
}

/** The part of an operand from `start` on, `size` elements of `axis`, every `step`th. */
export function sliceOperand(x: Operand, axis: number, start: number, size: number, step: number): Operand {
  const stride = x.layout.strides[axis] as number;
  return {
    ...x,
    shape: x.shape.map((n, i) => (i === axis ? size : n)),
    layout: {
      offset: x.layout.offset + start * stride,
      strides: x.layout.strides.map((s, i) => (i === axis ? s * step : s)),
    },
  };
}
