/** A wrong call of the engine: shapes that do not fit, a missing input, a need above a limit. One clear sentence. */
export class ShaderGradError extends Error {
  override name = 'ShaderGradError';
}

/** A plan that needs more of one of the adapter's limits than there is. */
export class LimitError extends ShaderGradError {
  override name = 'LimitError';

  constructor(
    message: string,
    /** The limit's name in WebGPU. */
    readonly limit: string,
    readonly need: number,
    /** What the adapter allows. */
    readonly there: number,
  ) {
    super(message);
  }
}

export function fail(message: string): never {
  throw new ShaderGradError(message);
}

/** `[4, 3, 256, 256]`, as shapes are written in messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
