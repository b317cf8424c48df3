import { describe, expect, it } from 'vitest';
import type { Launch, Operand } from '../../src/engine/kernel.js';
import {
  augmentImages,
  augmentMasks,
  augmentRow,
  augmentRowLength,
  minMaxScaling,
} from '../../src/engine/kernels/augment.js';
import golden from '../golden/augment.json' with { type: 'json' };
import { augment, fromBytes, minMax, type Picture, type Steps } from '../reference/augment.js';
import { KernelRun } from '../support/kernelRun.js';

/** As in test/golden/augment.py. */
const byte = (i: number) => (i * 73 + i * i * 5 + Math.floor(i / 7) * 31) % 256;

/** Bytes [height][width][channels] that vary smoothly and never reach 0 or 255. */
function slice(height: number, width: number, channels: number, item: number): Uint8Array {
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [c, x] = [i % channels, Math.floor(i / channels) % width];
    const y = Math.floor(i / (channels * width));
    return 128 + 90 * Math.sin(x / 5 + c + item) * Math.cos(y / 7 - c) + ((i * 31) % 17);
  });
}

function blob(height: number, width: number, item: number): Uint8Array {
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Math.hypot(x - width / 2 - item, y - height / 3) < height / 4 ? 255 : 0;
  });
}

const rangeOf = (bytes: Uint8Array): [number, number] => [
  bytes.reduce((a, b) => Math.min(a, b)),
  bytes.reduce((a, b) => Math.max(a, b)),
];

interface Batch {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly frame: readonly [number, number];
  readonly items: readonly Omit<Steps, 'frame'>[];
}

interface Made {
  readonly k: KernelRun;
  readonly images: Operand;
  readonly masks: Operand;
  readonly table: Operand;
  readonly slices: Uint8Array[];
  readonly blobs: Uint8Array[];
}

async function make({ height, width, channels, frame, items }: Batch, data = slice): Promise<Made> {
  const k = await KernelRun.open();
  const slices = items.map((_, n) => data(height, width, channels, n));
  const blobs = items.map((_, n) => blob(height, width, n));
  const rows = items.map((item, n) => {
    const values = slices[n] as Uint8Array;
    return augmentRow({ ...item, ...minMaxScaling(...rangeOf(values)) }, frame, channels);
  });
  return {
    k,
    slices,
    blobs,
    images: k.put(
      slices.flatMap((s) => [...s]),
      [items.length, height, width, channels],
      undefined,
      'u8',
    ),
    masks: k.put(
      blobs.flatMap((b) => [...b]),
      [items.length, height, width],
      undefined,
      'u8',
    ),
    table: k.put(
      rows.flatMap((row) => [...row]),
      [items.length, augmentRowLength(channels)],
    ),
  };
}

/** Largest difference over the pixels that are not `near` a border; and the share of those that are. */
function compare(got: ArrayLike<number>, expected: Picture, near: Set<number>): number {
  const plane = expected.height * expected.width;
  expect(near.size / plane).toBeLessThan(0.01);
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    if (!near.has(i % plane))
      worst = Math.max(worst, Math.abs((got[i] as number) - (expected.data[i] as number)));
  }
  return worst;
}

async function check(batch: Batch): Promise<void> {
  const made = await make(batch);
  const { k } = made;
  const [n, [h, w]] = [batch.items.length, batch.frame];
  const image = k.out([n, batch.channels, h, w]);
  const mask = k.out([n, 1, h, w]);
  await k.run([
    ...augmentImages(made.images, made.table, image),
    ...augmentMasks(made.masks, made.table, mask, 0.9999),
  ]);
  const [images, masks] = [k.readAlone(image), k.readAlone(mask)];
  batch.items.forEach((item, i) => {
    const steps = { ...item, frame: batch.frame };
    const near = new Set<number>();
    const picture = fromBytes(made.slices[i] as Uint8Array, batch.height, batch.width, batch.channels);
    const expected = augment(minMax(picture), steps, near);
    const size = batch.channels * h * w;
    expect(compare(images.subarray(i * size, (i + 1) * size), expected, near)).toBeLessThan(1e-6);
    const truth = fromBytes(made.blobs[i] as Uint8Array, batch.height, batch.width, 1);
    const expectedMask = augment({ ...truth, data: truth.data.map((v) => v * 0.9999) }, steps);
    expect(compare(masks.subarray(i * h * w, (i + 1) * h * w), expectedMask, near)).toBeLessThan(1e-6);
  });
}

const angles = [0, 3.7, -13.9, 15.9, 90, -90, 180, 47];

describe('one gather does what the steps do', () => {
  it('over the reference scales at 256 x 256', async () => {
    const scales = [0.95, 0.9512, 0.9994, 1, 1.004, 1.0079, 1.03, 1.0499];
    const items = scales.map((scale, i) => ({ scale, angle: angles[i] as number, flip: i % 2 === 1 }));
    await check({ height: 256, width: 256, channels: 3, frame: [256, 256], items });
  });

  it.each([
    ['slices larger than the frame', 300, 280, 3, [64, 64]],
    ['slices smaller than the frame', 37, 41, 3, [96, 80]],
    ['odd frames', 64, 64, 2, [63, 65]],
    ['one channel', 32, 32, 1, [48, 31]],
    ['a slice of one pixel', 1, 1, 3, [5, 4]],
  ] as [
    string,
    number,
    number,
    number,
    [number, number],
  ][])('over %s', async (_, height, width, channels, frame) => {
    const items = [0.5, 0.95, 1, 1.02, 1.3, 2].map((scale, i) => ({
      scale,
      // Right angles of an odd by even frame would lie on borders everywhere.
      angle: (angles[i] as number) % 90 === 0 ? 0 : (angles[i] as number),
      flip: i % 2 === 0,
    }));
    await check({ height, width, channels, frame, items });
  });
});

describe('the identity', () => {
  it('gives every byte its value, and a mask of 255 the mask value', async () => {
    const batch = {
      height: 20,
      width: 28,
      channels: 3,
      frame: [20, 28] as const,
      items: [{ scale: 1, angle: 0, flip: false }],
    };
    const made = await make(batch);
    const [min, max] = rangeOf(made.slices[0] as Uint8Array);
    const [image, mask] = [made.k.out([1, 3, 20, 28]), made.k.out([1, 1, 20, 28])];
    await made.k.run([
      ...augmentImages(made.images, made.table, image),
      ...augmentMasks(made.masks, made.table, mask, 1),
    ]);
    const gain = Math.fround(1 / (max - min + 255e-5));
    const got = made.k.readAlone(image);
    (made.slices[0] as Uint8Array).forEach((v, i) => {
      const [c, pixel] = [i % 3, Math.floor(i / 3)];
      expect(got[c * 20 * 28 + pixel]).toBe(Math.fround((v - min) * gain));
    });
    expect([...made.k.readAlone(mask)]).toEqual([...(made.blobs[0] as Uint8Array)].map((v) => v / 255));
  });

  it('mirrored, gives each row backwards', async () => {
    const items = [false, true].map((flip) => ({ scale: 1, angle: 0, flip }));
    const made = await make({ height: 6, width: 9, channels: 1, frame: [6, 9], items });
    const mask = made.k.out([2, 1, 6, 9]);
    // Both items from the first slice.
    const first: Operand = { ...made.masks, layout: { offset: 0, strides: [0, 9, 1] } };
    await made.k.run(augmentMasks(first, made.table, mask, 1));
    const rows = Array.from({ length: 12 }, (_, i) => [...made.k.read(mask).subarray(i * 9, i * 9 + 9)]);
    expect(rows.slice(6)).toEqual(rows.slice(0, 6).map((row) => row.reverse()));
  });
});

describe('against PyTorch', () => {
  it.each(
    golden.cases.map(
      (c) =>
        [`${c.height}x${c.width} to ${c.frame} scale ${c.scale} angle ${c.angle} flip ${c.flip}`, c] as const,
    ),
  )('%s', async (_, c) => {
    const frame = c.frame as [number, number];
    const item = { scale: c.scale, angle: c.angle, flip: c.flip };
    const made = await make({ ...c, frame, channels: 3, items: [item] }, (h, w, channels) =>
      Uint8Array.from({ length: h * w * channels }, (_, i) => byte(i)),
    );
    const image = made.k.out([1, 3, ...frame]);
    await made.k.run(augmentImages(made.images, made.table, image));
    const picture = minMax(fromBytes(made.slices[0] as Uint8Array, c.height, c.width, 3));
    const steps = augment(picture, { ...item, frame });
    const got = made.k.readAlone(image);
    c.values.forEach((v, i) => {
      expect(Math.abs((steps.data[i] as number) - v)).toBeLessThan(1e-8);
      expect(Math.abs((got[i] as number) - v)).toBeLessThan(1e-6);
    });
  });
});

describe('details', () => {
  it('scales each channel on its own where told to', async () => {
    const k = await KernelRun.open();
    const images = k.put([10, 20, 30, 40], [1, 1, 2, 2], undefined, 'u8');
    const item = { scale: 1, angle: 0, flip: false, shift: [10, 0], gain: [0.5, 0.25] };
    const table = k.put(augmentRow(item, [1, 2], 2), [1, augmentRowLength(2)]);
    const image = k.out([1, 2, 1, 2]);
    await k.run(augmentImages(images, table, image));
    expect([...k.readAlone(image)]).toEqual([0, 10, 5, 10]);
  });

  it('a slice of one value becomes zeros', async () => {
    const k = await KernelRun.open();
    const images = k.put(new Uint8Array(12).fill(77), [1, 2, 2, 3], undefined, 'u8');
    const item = { scale: 1, angle: 0, flip: false, ...minMaxScaling(77, 77) };
    const image = k.out([1, 3, 2, 2]);
    await k.run(augmentImages(images, k.put(augmentRow(item, [2, 2], 3), [1, 14]), image));
    expect([...k.readAlone(image)]).toEqual(new Array(12).fill(0));
  });

  it('reads and writes at an offset', async () => {
    const batch = {
      height: 8,
      width: 8,
      channels: 3,
      frame: [8, 8] as const,
      items: [{ scale: 1.2, angle: 9, flip: true }],
    };
    const made = await make(batch);
    const { k } = made;
    const bytes = [...(made.slices[0] as Uint8Array)];
    const moved = k.put(bytes, [1, 8, 8, 3], { offset: 5, strides: [192, 24, 3, 1] }, 'u8');
    const [plain, there] = [
      k.out([1, 3, 8, 8]),
      k.out([1, 3, 8, 8], { offset: 7, strides: [300, 64, 8, 1] }),
    ];
    await k.run([
      ...augmentImages(made.images, made.table, plain),
      ...augmentImages(moved, made.table, there),
    ]);
    expect([...k.readAlone(there)]).toEqual([...k.readAlone(plain)]);
  });

  it('refuses what does not fit', async () => {
    const k = await KernelRun.open();
    const fits = (images: Operand, table: Operand, y: Operand): Launch[] => augmentImages(images, table, y);
    const images = k.out([2, 8, 8, 3], undefined, 'u8');
    expect(() => fits(images, k.out([2, 14]), k.out([2, 1, 8, 8]))).toThrow('do not fit');
    expect(() => fits(images, k.out([2, 13]), k.out([2, 3, 8, 8]))).toThrow('the table must be [2, 14]');
    expect(() => fits(k.out([2, 8, 8, 3]), k.out([2, 14]), k.out([2, 3, 8, 8]))).toThrow('must be bytes');
    const item = { scale: 0.01, angle: 0, flip: false, shift: [0], gain: [1] };
    expect(() => augmentRow(item, [64, 64], 3)).toThrow('leaves nothing of 64x64');
  });
});
