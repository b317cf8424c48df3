import { plan } from '../../engine/compile.js';
import type { Device } from '../../engine/device.js';
import { everyKernel } from '../../everyKernel.js';
import { inferenceStep } from '../../unet/programs.js';
import { Segmenter } from '../../unet/segment.js';
import { DEFAULT_THRESHOLD } from '../../unet/threshold.js';
import type { PredictOptions } from '../commands/predict.js';
import { watchInterrupt } from '../interrupt.js';
import { type Io, UsageError } from '../io.js';
import { predictFiles } from '../predictFiles.js';
import { openCliDevice } from './device.js';
import { naming, readModel } from './readModel.js';

/** `shadergrad predict`. */
export async function predict(options: PredictOptions, io: Io): Promise<void> {
  const { path, weights, threshold: own } = await readModel(options.model);
  const { depth } = weights.config;
  const multiple = 2 ** (depth - 1);
  if (options.size !== undefined && options.size % multiple !== 0) {
    throw new UsageError(
      `--size must be a multiple of ${multiple}, as the model has depth ${depth}, not ${options.size}.`,
    );
  }
  const threshold = options.threshold ?? own ?? DEFAULT_THRESHOLD;
  const size = options.size ?? weights.preparation.size;
  const device = await openCliDevice(options);
  try {
    const segmenter = naming(path, () => new Segmenter(device, weights, size === null ? {} : { size }));
    if (size !== null) checkSize(device, segmenter, size, options.size === undefined ? path : '--size');
    if (!options.json) {
      const from =
        options.threshold !== undefined
          ? 'by --threshold'
          : own !== null
            ? "the run's own"
            : 'the usual, as the model tells none';
      const seen = size === null ? 'at their own size' : `at ${size}x${size}`;
      io.stdout.write(`${path}: threshold ${threshold} (${from}), images seen ${seen}\n`);
    }
    const interrupt = watchInterrupt(
      () => void io.stderr.write('stopping after this image; once more ends at once\n'),
    );
    try {
      await predictFiles(
        { ...options, threshold },
        (image) => segmenter.segment(image),
        io,
        () => interrupt.signal,
      );
    } finally {
      interrupt.dispose();
      await segmenter.destroy();
    }
  } finally {
    await device.close();
  }
}

/** A size that the device cannot hold is no image's fault, so it is told before any is read. */
function checkSize({ facts, tuning }: Device, { model }: Segmenter, size: number, from: string): void {
  const square = { height: size, width: size };
  try {
    const { inputs, build } = inferenceStep(model, square, square, 1);
    plan<string, string>(facts, inputs, build, { kernels: everyKernel, tuning });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    throw new UsageError(
      `${from}: slices cannot be seen at ${size}x${size} (${why}); give a smaller --size.`,
    );
  }
}
