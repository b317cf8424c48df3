// Trains a tiny net to find bright pixels in noise.
import { binaryCrossEntropyWithLogits, Conv2d, compile, grad, ReLU, Rng, Sequential, SGD } from 'shadergrad';

const shape = [4, 1, 16, 16];

/** @param {import('shadergrad').Device} device @returns the loss of each step */
export async function train(device, steps = 30) {
  const generator = Rng.of(1);
  const net = new Sequential(
    new Conv2d(1, 8, 3, { padding: 1, generator }),
    new ReLU(),
    new Conv2d(8, 1, 3, { padding: 1, generator }),
  );
  const sgd = new SGD(net.parameters());
  const step = await compile(device, { image: shape, mask: shape }, ({ image, mask }) => {
    const loss = binaryCrossEntropyWithLogits(net.forward(image, { training: true }), mask);
    sgd.update(grad(loss, net.parameters()));
    return { loss };
  });
  const losses = [];
  for (let i = 0; i < steps; i++) {
    const image = Float32Array.from({ length: 4 * 16 * 16 }, () => generator.uniform(-1, 1));
    const mask = image.map((v) => (v > 0.5 ? 1 : 0));
    const { loss } = await step.run({ image, mask }, { lr: 0.2, momentum: 0.9 });
    losses.push(loss.item());
  }
  step.destroy();
  return losses;
}
