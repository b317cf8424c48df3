import { plural } from '../../src/cli/plural.js';
import { type Device, openDevice } from '../../src/engine/device.js';
import { softwareKernels } from '../../src/software.js';
import type { Weights } from '../../src/unet/checkpoint.js';
import { type Image8, Segmenter } from '../../src/unet/segment.js';
import { CodedError, failureOf } from '../rpc/failure.js';
import { emit } from '../rpc/serve.js';
import type { SegmentEvent, SegmentTimes } from './protocol.js';

const tell = (event: SegmentEvent, transfer: Transferable[] = []): void => emit(event, transfer);

/** Segments a volume slice by slice, the one looked at first. One device serves one model and goes with it. */
export class Runner {
  private weights: Weights | null = null;
  private images: readonly Image8[] = [];
  private opened: Promise<{ device: Device; segmenter: Segmenter }> | null = null;
  private run = 0;
  private focus = 0;
  private told: unknown = null;
  private working: Promise<void> = Promise.resolve();
  private times: SegmentTimes = { adapter: null, compileMs: null, firstSliceMs: null, sliceMs: null };

  async setModel(weights: Weights): Promise<void> {
    const { inChannels } = weights.config;
    if (inChannels !== 3 && inChannels !== 1) {
      throw new CodedError(
        'engine',
        `${weights.source} takes ${plural(inChannels, 'channel')}, and slices here have 3 (or 1, the second); choose other weights.`,
      );
    }
    this.run = 0;
    await this.working;
    await this.close();
    this.weights = weights;
  }

  setImages(images: readonly Image8[]): void {
    this.run = 0;
    this.images = images;
  }

  look(index: number): void {
    this.focus = index;
  }

  /** Starts over; an earlier run ends after the slice it is at. */
  start(run: number, from: number): void {
    this.run = run;
    this.focus = from;
    this.working = this.working.then(() => this.work(run));
  }

  private async work(run: number): Promise<void> {
    try {
      if (this.run !== run || !this.weights) return;
      const { segmenter } = await this.open(this.weights);
      const left = new Set(this.images.keys());
      const total = this.images.length;
      const times: number[] = [];
      while (left.size > 0 && this.run === run) {
        const index = nearest(left, this.focus);
        left.delete(index);
        const image = this.images[index];
        if (!image) continue;
        const begin = performance.now();
        const given = segmenter.model.config.inChannels === 1 ? onlyFlair(image) : image;
        const probabilities = await segmenter.segment(given);
        times.push(performance.now() - begin);
        if (this.run !== run) return;
        // The model's first output, where it has several.
        const data = probabilities.slice(0, image.width * image.height);
        tell({ is: 'probabilities', run, index, data }, [data.buffer]);
        tell({ is: 'progress', what: 'run', done: total - left.size, total });
      }
      if (this.run !== run) return;
      const [first = 0, ...rest] = times;
      const median = rest.sort((a, b) => a - b)[rest.length >> 1] ?? null;
      this.times = {
        ...this.times,
        firstSliceMs: tenth(first),
        sliceMs: median === null ? null : tenth(median),
      };
      tell({ is: 'done', run, times: this.times });
    } catch (error) {
      await this.fail(error);
    }
  }

  private open(weights: Weights): Promise<{ device: Device; segmenter: Segmenter }> {
    this.opened ??= (async () => {
      tell({ is: 'progress', what: 'open', done: 0, total: 1 });
      const device = await openDevice({ kernels: softwareKernels, onError: () => {} });
      // A device that fails while nothing waits for it is told of as well.
      device.failed.catch((error: unknown) => this.fail(error));
      const begin = performance.now();
      const segmenter = new Segmenter(device, weights, {
        onCompile: (done, total) => {
          tell({ is: 'progress', what: done === total ? 'warm-up' : 'compile', done, total });
          if (done === total) {
            this.times = { ...this.times, compileMs: tenth(performance.now() - begin) };
          }
        },
      });
      this.times = { adapter: device.name, compileMs: null, firstSliceMs: null, sliceMs: null };
      return { device, segmenter };
    })();
    return this.opened;
  }

  /** Tells of an error once, and lets go of the device, which is not to be trusted any more. */
  private async fail(error: unknown): Promise<void> {
    if (error === this.told) return;
    this.told = error;
    this.run = 0;
    await this.close();
    tell({ is: 'failure', failure: failureOf(error) });
  }

  private async close(): Promise<void> {
    const opened = this.opened;
    this.opened = null;
    try {
      await (await opened)?.device.close();
    } catch {
      // It failed; that was told when it happened.
    }
  }
}

function tenth(milliseconds: number): number {
  return Math.round(10 * milliseconds) / 10;
}

function nearest(left: ReadonlySet<number>, focus: number): number {
  let best = -1;
  for (const index of left) {
    if (best < 0 || Math.abs(index - focus) < Math.abs(best - focus)) best = index;
  }
  return best;
}

function onlyFlair({ width, height, data }: Image8): Image8 {
  return {
    width,
    height,
    data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i + 1] as number),
  };
}
