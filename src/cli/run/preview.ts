import { augmentation, drawTransform, IDENTITY } from '../../data/augmentParams.js';
import { tableOf } from '../../data/batchSource.js';
import type { SliceRef } from '../../data/dataset.js';
import { compile } from '../../engine/compile.js';
import { augmentColumns, augmentImage, augmentMask } from '../../engine/ops/augment.js';
import type { PreviewOptions } from '../commands/preview.js';
import { atomicWrite } from '../files.js';
import { type Io, UsageError } from '../io.js';
import { keepInputs } from '../keepInputs.js';
import { plural } from '../plural.js';
import { augmentationSheet, contactSheet } from '../sheets.js';
import { openCliDevice } from './device.js';
import { openData } from './setup.js';

const TILES = 24;
const CHANNELS = 3;

/** `shadergrad preview`: a slice with its mask's outline, or 24 augmentations of it by the kernel that training uses. */
export async function preview(options: PreviewOptions, io: Io): Promise<void> {
  await keepInputs('--out', options.out, [options.data]);
  const dataset = await openData(options.data, io);
  try {
    const slice = dataset.slices[options.item - 1];
    if (!slice)
      throw new UsageError(
        `--item must be at most ${dataset.slices.length}, the slices there are, not ${options.item}.`,
      );
    const { image, mask } = await dataset.read(slice);
    const { width, height, patient, number } = slice;
    const picture = options.sheet
      ? augmentationSheet(await tiles(options, slice, image, mask))
      : contactSheet(
          [
            {
              width,
              height,
              image,
              truth: mask,
              caption: [`${patient} slice ${number}`, plural(slice.lesion, 'lesion pixel')],
            },
          ],
          1,
          2,
        );
    await atomicWrite(options.out, picture.png());
    io.stdout.write(
      `${slice.image}: ${width}x${height}, values ${slice.min} to ${slice.max}, ${plural(slice.lesion, 'lesion pixel')}; wrote ${options.out}\n`,
    );
  } finally {
    await dataset.close();
  }
}

async function tiles(options: PreviewOptions, slice: SliceRef, image: Uint8Array, mask: Uint8Array) {
  const { width, height } = slice;
  const from = augmentation(options.scale, options.rotation, options.flip);
  const transforms = Array.from({ length: TILES }, (_, i) =>
    i === 0 ? IDENTITY : drawTransform(from, options.seed, 0, i),
  );
  const device = await openCliDevice({ ...options, tuning: false });
  try {
    const geometry = { height, width, maskValue: 1 };
    const program = await compile(
      device,
      {
        images: { shape: [1, height, width, CHANNELS], dtype: 'u8' },
        masks: { shape: [1, height, width], dtype: 'u8' },
        table: [1, augmentColumns(CHANNELS)],
      },
      ({ images, masks, table }) => ({
        image: augmentImage(images, table, geometry),
        mask: augmentMask(masks, table, geometry),
      }),
    );
    const result = [];
    for (const transform of transforms) {
      const table = tableOf([{ transform, min: slice.min, max: slice.max }], [height, width]);
      const values = await program.run({ images: image, masks: mask, table });
      result.push({
        width,
        height,
        ...transform,
        image: interleaved(values.image.data as Float32Array, height * width),
        truth: Uint8Array.from(values.mask.data as Float32Array, (value) => (value > 0.5 ? 1 : 0)),
      });
    }
    program.destroy();
    return result;
  } finally {
    await device.close();
  }
}

/** Planes of 0..1 to RGB bytes. */
function interleaved(planes: Float32Array, pixels: number): Uint8Array {
  const bytes = new Uint8Array(CHANNELS * pixels);
  for (let c = 0; c < CHANNELS; c++) {
    for (let i = 0; i < pixels; i++) {
      bytes[CHANNELS * i + c] = Math.round(255 * Math.min(1, Math.max(0, planes[c * pixels + i] as number)));
    }
  }
  return bytes;
}
