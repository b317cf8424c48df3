/** A wrong call of the engine: shapes that do not fit, a missing input, a need above a limit. One clear sentence. */
export class ShaderGradError extends Error {
  override name = 'ShaderGradError';
}

export function fail(message: string): never {
  throw new ShaderGradError(message);
}

/** `[4, 3, 256, 256]`, as shapes are written in messages. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
