/** What the examples give, wherever they run, and what they must. */
import { expect } from 'vitest';
import { relativeError } from '../reference/array.js';

export interface ExampleResult {
  readonly pixels: number;
  readonly losses: readonly number[];
  readonly swish: readonly number[];
  readonly gradient: readonly number[];
}

const x = [-2, -0.5, 0, 1, 3];
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** The examples' text result, checked for what any run must give. */
export function checkedExample(text: string): ExampleResult {
  expect(text).toMatch(/^\{/);
  const result = JSON.parse(text) as ExampleResult;
  const { losses } = result;
  expect(losses).toHaveLength(30);
  expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
  expect(result.pixels).toBeGreaterThanOrEqual(0);
  const value = x.map((v) => v * sigmoid(1.5 * v));
  const slope = x.map((v, i) => sigmoid(1.5 * v) + 1.5 * (value[i] as number) * (1 - sigmoid(1.5 * v)));
  expect(relativeError(result.swish, value)).toBeLessThan(1e-5);
  expect(relativeError(result.gradient, slope)).toBeLessThan(1e-5);
  return result;
}
