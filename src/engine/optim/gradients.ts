import { fail, shapeText } from '../errors.js';
import { type Parameter, sameShape, type Tensor } from '../tensor.js';

/** Throws where there is not one gradient of its shape for each parameter. */
export function checkGradients(
  what: string,
  parameters: readonly Parameter[],
  gradients: readonly Tensor[],
): void {
  if (gradients.length !== parameters.length)
    fail(`${what}.update: ${gradients.length} gradients for ${parameters.length} parameters.`);
  gradients.forEach(({ shape }, i) => {
    const own = (parameters[i] as Parameter).shape;
    if (!sameShape(shape, own)) {
      fail(`${what}.update: gradient ${i} is ${shapeText(shape)}, but its parameter is ${shapeText(own)}.`);
    }
  });
}
