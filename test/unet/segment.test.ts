import { describe, expect, it } from 'vitest';
import { augmentRow, minMaxScaling } from '../../src/engine/kernels/augment.js';
import { decodeWeights, encodeWeights, type Weights } from '../../src/unet/checkpoint.js';
import { UNet } from '../../src/unet/model.js';
import { compileEvaluation } from '../../src/unet/programs.js';
import { resizePlane } from '../../src/unet/resize.js';
import { Segmenter } from '../../src/unet/segment.js';
import { testDevice } from '../support/device.js';
import { SIZE, tinyConfig } from './discs.js';

const config = { inChannels: 3, outChannels: 2, depth: 2, baseChannels: 4, dropout: 0.5 };

async function weights(): Promise<Weights> {
  const parts = await encodeWeights(new UNet({ ...config, seed: 2 }), { size: SIZE });
  return decodeWeights(
    new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
    'weights',
  );
}

/** An image whose bytes lie in 20..219. */
function image(height: number, width: number) {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => 20 + ((i * 37 + (i >> 4)) % 200));
  return { height, width, data };
}

describe('a segmenter', () => {
  it('gives what the evaluation program gives, brought to the size of the image', async () => {
    const device = await testDevice();
    const { height, width, data } = image(11, 23);
    const one = new UNet({ ...config, outChannels: 1, seed: 2 });
    const parts = await encodeWeights(one, { size: SIZE });
    const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const single = new Segmenter(device, decodeWeights(bytes, 'one'));
    const evaluation = await compileEvaluation(device, one, tinyConfig(), { height, width }, 1);
    const item = { scale: 1, angle: 0, flip: false, ...minMaxScaling(Math.min(...data), Math.max(...data)) };
    const { probabilities } = await evaluation.run({
      images: data,
      masks: new Uint8Array(height * width),
      table: augmentRow(item, [SIZE, SIZE], 3),
    });
    const expected = resizePlane(probabilities.data as Float32Array, SIZE, SIZE, height, width);
    const mask = await single.segment({ height, width, data });
    expect(mask.length).toBe(height * width);
    mask.forEach((p, i) => {
      expect(Math.abs(p - (expected[i] as number))).toBeLessThan(1e-6);
    });
    expect(Math.max(...mask)).toBeGreaterThan(Math.min(...mask));
    evaluation.destroy();
    await single.destroy();
  });

  it('takes images of many sizes at once, and gives each its own', { timeout: 300_000 }, async () => {
    const segmenter = new Segmenter(await testDevice(), await weights());
    const sizes = [
      [SIZE, SIZE],
      [5, 9],
      [40, 12],
      [1, 1],
      [17, 16],
      [8, 30],
    ] as const;
    const together = await Promise.all(sizes.map(([h, w]) => segmenter.segment(image(h, w))));
    for (const [i, [h, w]] of sizes.entries()) {
      const alone = await segmenter.segment(image(h, w));
      expect(alone.length).toBe(2 * h * w);
      expect([...alone]).toEqual([...(together[i] ?? [])]);
      expect(alone.every((p) => p > 0 && p < 1)).toBe(true);
    }
    await segmenter.destroy();
  });

  it('says what image it takes', async () => {
    const segmenter = new Segmenter(await testDevice(), await weights());
    await expect(segmenter.segment({ height: 4, width: 6, data: new Uint8Array(24) })).rejects.toThrow(
      'segment: the model takes 3 channels, so a 6x4 image needs 72 bytes, not 24.',
    );
  });
});
