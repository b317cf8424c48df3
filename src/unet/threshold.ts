import { fail } from '../engine/errors.js';
import type { Weights } from './checkpoint.js';

/** Where neither model nor user tells. */
export const DEFAULT_THRESHOLD = 0.5;

/** True for what a mask can be cut at: from 0 to below 1. */
export function isThreshold(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1;
}

/**
 * The probability above which a pixel is lesion, as the training kept it with its weights; null where a file does not tell.
 *
 * @throws ShaderGradError where what it tells is no such thing
 */
export function ownThreshold({ metadata, source }: Weights): number | null {
  const text = metadata.get('threshold');
  if (text === undefined) return null;
  const value = Number(text);
  if (!isThreshold(value))
    fail(
      `${source} has a threshold of ${text}, which is not from 0 to below 1; put the run's own file back.`,
    );
  return value;
}
