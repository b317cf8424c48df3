// Segments an image with a trained U-Net: in a page, a Worker or Node, whoever gives the device.
import { decodeWeights, Segmenter } from 'shadergrad';

/**
 * @param {import('shadergrad').Device} device
 * @param {Uint8Array} weights the bytes of a .safetensors file
 * @param {import('shadergrad').Image8} image width, height and bytes, channels interleaved
 * @returns how many pixels of it are lesion
 */
export async function lesionPixels(device, weights, image) {
  const segmenter = new Segmenter(device, decodeWeights(weights, 'the model'));
  const probabilities = await segmenter.segment(image);
  await segmenter.destroy();
  return probabilities.filter((p) => p > 0.5).length;
}
