import { compile } from '../engine/compile.js';
import type { Device } from '../engine/device.js';
import { fail } from '../engine/errors.js';
import { augmentRow, minMaxScaling } from '../engine/kernels/augment.js';
import type { Program } from '../engine/program/program.js';
import { Recent } from '../engine/program/recent.js';
import { modelFrom, type Weights } from './checkpoint.js';
import type { UNet } from './model.js';
import { inferenceStep } from './programs.js';
import { resizePlane } from './resize.js';

/** Programs kept, one for each size of image. */
const KEPT = 4;

/** An 8-bit image, channels interleaved: [height, width, channels]. */
export interface Image8 {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface SegmenterOptions {
  /**
   * Side of the square that images are brought to; what the model was trained at unless told. Where the weights do not
   * tell, each image keeps its own height and width, rounded up to what the model's poolings need.
   */
  readonly size?: number;
  /** Told after each kernel that is ready. */
  readonly onCompile?: (done: number, total: number) => void;
}

/**
 * Segments images of any size with a trained U-Net: brought to the size it was trained at on the GPU, and the
 * probabilities back to the image's own. What training did to a slice is done here to an image: min-max scaling.
 */
export class Segmenter {
  readonly model: UNet;
  /** What heights and widths must be multiples of. */
  readonly #multiple: number;
  readonly #size: number | null;
  readonly #programs = new Recent<Program<'images' | 'table', 'probabilities'>>(KEPT);

  constructor(
    private readonly device: Device,
    weights: Weights,
    private readonly options: SegmenterOptions = {},
  ) {
    const { depth } = weights.config;
    this.#multiple = 2 ** (depth - 1);
    this.#size = options.size ?? weights.preparation.size;
    if (this.#size !== null && !(Number.isInteger(this.#size / this.#multiple) && this.#size >= 1)) {
      fail(
        `Segmenter: with depth ${depth} the size must be a multiple of ${this.#multiple}, not ${this.#size}.`,
      );
    }
    this.model = modelFrom(weights);
  }

  /** Probabilities at the image's own size: [outChannels, height, width], row-major. */
  async segment(image: Image8): Promise<Float32Array> {
    const { height, width, data } = image;
    const { inChannels, outChannels } = this.model.config;
    if (data.length !== height * width * inChannels) {
      fail(
        `segment: the model takes ${inChannels} channels, so a ${width}x${height} image needs ${height * width * inChannels} bytes, not ${data.length}.`,
      );
    }
    let min = 255;
    let max = 0;
    for (const value of data) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const seen = this.#seenSize(height, width);
    const [h, w] = seen;
    const row = { scale: 1, angle: 0, flip: false, ...minMaxScaling(min, max) };
    const table = augmentRow(row, seen, inChannels);
    const { probabilities } = await this.#programs.use(
      `${height}x${width}`,
      () => this.#make(height, width, seen),
      (program) => program.run({ images: data, table }),
    );
    const planes = probabilities.data as Float32Array;
    const out = new Float32Array(outChannels * height * width);
    for (let c = 0; c < outChannels; c++) {
      const plane = planes.subarray(c * h * w, (c + 1) * h * w);
      out.set(resizePlane(plane, h, w, height, width), c * height * width);
    }
    return out;
  }

  async destroy(): Promise<void> {
    this.#programs.clear();
  }

  /** Height and width at which the network sees an image. */
  #seenSize(height: number, width: number): readonly [number, number] {
    const size = this.#size;
    if (size !== null) return [size, size];
    const up = (side: number) => Math.ceil(side / this.#multiple) * this.#multiple;
    return [up(height), up(width)];
  }

  #make(
    height: number,
    width: number,
    [seenHeight, seenWidth]: readonly [number, number],
  ): Promise<Program<'images' | 'table', 'probabilities'>> {
    const { onCompile } = this.options;
    const seen = { height: seenHeight, width: seenWidth };
    const { inputs, build } = inferenceStep(this.model, seen, { height, width }, 1);
    return compile(this.device, inputs, build, onCompile ? { onProgress: onCompile } : {});
  }
}
