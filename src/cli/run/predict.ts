import { Segmenter } from '../../unet/segment.js';
import type { PredictOptions } from '../commands/predict.js';
import { type Io, UsageError } from '../io.js';
import { predictFiles } from '../predictFiles.js';
import { readWeights } from './checkpoints.js';
import { openCliDevice } from './device.js';

/** `shadergrad predict`. */
export async function predict(options: PredictOptions, io: Io): Promise<void> {
  const { weights } = await readWeights(options.model);
  const { depth } = weights.config;
  const multiple = 2 ** (depth - 1);
  const { size } = options;
  if (size !== undefined && size % multiple !== 0) {
    throw new UsageError(
      `--size must be a multiple of ${multiple}, as the model has depth ${depth}, not ${size}.`,
    );
  }
  const device = await openCliDevice(options);
  try {
    const segmenter = new Segmenter(device, weights, size === undefined ? {} : { size });
    await predictFiles(options, (image) => segmenter.segment(image), io);
    await segmenter.destroy();
  } finally {
    await device.close();
  }
}
