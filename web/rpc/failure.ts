import { DataError } from '../../src/data/error.js';
import { GpuError, type GpuErrorCode } from '../../src/engine/device.js';
import { LimitError, ShaderGradError } from '../../src/engine/errors.js';

/** Which of the ways this is, so that the page can say what to do. */
export type FailureCode =
  | GpuErrorCode
  | 'data'
  | 'missing'
  | 'weights'
  | 'engine'
  | 'kernel'
  | 'part'
  | 'unknown';

/** What went wrong, in a form that crosses from a worker to the page. */
export interface Failure {
  readonly code: FailureCode;
  /** One sentence. */
  readonly message: string;
}

/** An error with a code that has crossed from a worker, or is made to. */
export class CodedError extends Error implements Failure {
  override name = 'CodedError';

  constructor(
    readonly code: FailureCode,
    message: string,
  ) {
    super(message);
  }
}

/** The failure that any thrown value stands for. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { code: codeOf(error), message };
}

function codeOf(error: unknown): FailureCode {
  if (error instanceof CodedError || error instanceof GpuError) return error.code;
  if (error instanceof LimitError) return 'adapter-too-small';
  if (error instanceof DataError) return 'data';
  if (error instanceof ShaderGradError) return 'engine';
  return 'unknown';
}
