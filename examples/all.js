// Runs the three examples on one device.
import { encodeWeights, evaluate, grad, sum, tensor, UNet } from 'shadergrad';
import { lesionPixels } from './inference.js';
import { swish } from './kernel.js';
import { train } from './training.js';

/** An untrained model and a striped image, in place of yours. */
async function sample() {
  const model = new UNet({ inChannels: 3, outChannels: 1, depth: 3, baseChannels: 4, dropout: 0, seed: 5 });
  const chunks = await encodeWeights(model, { size: null });
  const weights = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const data = Uint8Array.from({ length: 20 * 24 * 3 }, (_, i) => (i * 37) % 256);
  return { weights, image: { width: 24, height: 20, data } };
}

/** @param {import('shadergrad').Device} device */
export async function all(device) {
  const { weights, image } = await sample();
  const x = tensor([-2, -0.5, 0, 1, 3]);
  const y = swish(x, 1.5);
  const [value, gradient] = await evaluate(device, [y, ...grad(sum(y), [x])]);
  return {
    pixels: await lesionPixels(device, weights, image),
    losses: await train(device),
    swish: [...value.data],
    gradient: [...gradient.data],
  };
}
