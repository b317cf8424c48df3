import { cssColor } from '../shell/dom.js';
import type { SegmentState } from './state.js';

/** Draws the lesion's area over the slices: bars for the prediction, marks for the truth, a frame for the slice at hand. */
export function drawStrip(canvas: HTMLCanvasElement, state: SegmentState): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const dpr = devicePixelRatio;
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const { slices } = state.volume;
  const count = slices.length;
  if (count === 0) return;
  const share = (index: number, area: number | null): number => {
    const slice = slices[index];
    return slice && area ? area / (slice.width * slice.height) : 0;
  };
  let most = 0.002;
  for (const i of slices.keys()) {
    most = Math.max(most, share(i, state.area(i)), share(i, state.truthArea(i)));
  }
  const step = width / count;
  const gap = step > 4 * dpr ? dpr : 0;
  const base = height - dpr;
  const rise = (value: number): number => Math.round((value / most) * (height - 6 * dpr));
  context.fillStyle = cssColor('--selected');
  context.fillRect(Math.floor(state.index * step), 0, Math.max(2 * dpr, Math.ceil(step)), height);
  for (const i of slices.keys()) {
    const x = i * step;
    context.fillStyle = cssColor('--line');
    context.fillRect(x, base, Math.max(1, step - gap), dpr);
    const bar = rise(share(i, state.area(i)));
    context.fillStyle = cssColor('--prediction');
    if (bar > 0) context.fillRect(x, base - bar, Math.max(1, step - gap), bar);
    const mark = rise(share(i, state.truthArea(i)));
    context.fillStyle = cssColor('--truth');
    if (mark > 0) context.fillRect(x, base - mark - dpr, Math.max(1, step - gap), 2 * dpr);
  }
}

/** The slice at a place of the strip, x from 0 to 1. */
export function sliceAt(x: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(x * count)));
}
