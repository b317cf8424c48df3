import { overlap, thresholdMask } from '../../src/unet/metrics.js';
import type { VolumeView } from './protocol.js';

/** A slice's or a volume's figures; null where they are not known. */
export interface Figures {
  readonly area: number | null;
  readonly truth: number | null;
  /** Null also where neither prediction nor truth holds a lesion. */
  readonly dice: number | null;
}

interface Counted {
  readonly area: number;
  readonly both: number;
}

const NO_VOLUME: VolumeView = { name: '', slices: [], notes: [] };

/** What is open, what the model said of it, and what follows at the threshold. Knows nothing of the page. */
export class SegmentState {
  volume: VolumeView = NO_VOLUME;
  index = 0;
  private cut = 0.5;
  private probabilities: (Float32Array | undefined)[] = [];
  private truths: (Uint8Array | null)[] = [];
  private truthAreas: (number | null)[] = [];
  private masks: (Uint8Array | undefined)[] = [];
  private counts: (Counted | undefined)[] = [];

  setVolume(volume: VolumeView): void {
    this.volume = volume;
    this.index = 0;
    this.truths = volume.slices.map(({ truth }) => truth);
    this.countTruths();
    this.forget();
  }

  /** Lets go of all predictions. */
  forget(): void {
    this.probabilities = [];
    this.masks = [];
    this.counts = [];
  }

  setTruths(truths: ReadonlyMap<number, Uint8Array>): void {
    for (const [index, truth] of truths) this.truths[index] = truth;
    this.countTruths();
    this.counts = [];
  }

  setProbabilities(index: number, data: Float32Array): void {
    this.probabilities[index] = data;
    delete this.masks[index];
    delete this.counts[index];
  }

  get threshold(): number {
    return this.cut;
  }

  set threshold(value: number) {
    if (value === this.cut) return;
    this.cut = value;
    this.masks = [];
    this.counts = [];
  }

  get hasTruth(): boolean {
    return this.truths.some((truth) => truth !== null);
  }

  get complete(): boolean {
    return this.volume.slices.length > 0 && this.volume.slices.every((_, i) => this.probabilities[i]);
  }

  truth(index: number): Uint8Array | null {
    return this.truths[index] ?? null;
  }

  probability(index: number): Float32Array | null {
    return this.probabilities[index] ?? null;
  }

  /** 0 and 1 at the threshold; null while the slice is not predicted. */
  mask(index: number): Uint8Array | null {
    const data = this.probabilities[index];
    if (!data) return null;
    this.masks[index] ??= thresholdMask(data, this.cut);
    return this.masks[index] ?? null;
  }

  truthArea(index: number): number | null {
    return this.truthAreas[index] ?? null;
  }

  area(index: number): number | null {
    return this.count(index)?.area ?? null;
  }

  slice(index: number): Figures {
    return this.figures([index]);
  }

  /** Over all slices; the Dice over those that have a true mask. */
  all(): Figures {
    return this.figures([...this.volume.slices.keys()]);
  }

  /** The slice with the largest lesion, by truth or else by prediction; the middle one where there is none. */
  largest(): number {
    const { slices } = this.volume;
    let best = slices.length >> 1;
    let most = 0;
    for (const i of slices.keys()) {
      const area = this.truthArea(i) ?? this.area(i) ?? 0;
      if (area > most) {
        most = area;
        best = i;
      }
    }
    return best;
  }

  private figures(indices: readonly number[]): Figures {
    let area = 0;
    let truth = 0;
    let truePositive = 0;
    let falsePositive = 0;
    let predicted = true;
    let known = false;
    for (const i of indices) {
      const count = this.count(i);
      const own = this.truthArea(i);
      if (!count) predicted = false;
      area += count?.area ?? 0;
      if (own === null) continue;
      known = true;
      truth += own;
      truePositive += count?.both ?? 0;
      falsePositive += (count?.area ?? 0) - (count?.both ?? 0);
    }
    return {
      area: predicted && indices.length > 0 ? area : null,
      truth: known ? truth : null,
      dice: known && predicted ? overlap(truePositive, falsePositive, truth - truePositive).dice : null,
    };
  }

  private count(index: number): Counted | undefined {
    const mask = this.mask(index);
    if (!mask) return undefined;
    let count = this.counts[index];
    if (!count) {
      const truth = this.truths[index];
      let area = 0;
      let both = 0;
      for (let i = 0; i < mask.length; i++) {
        if (mask[i] === 0) continue;
        area++;
        if (truth && truth[i] !== 0) both++;
      }
      count = { area, both };
      this.counts[index] = count;
    }
    return count;
  }

  private countTruths(): void {
    this.truthAreas = this.truths.map((truth) => (truth ? truth.reduce((sum, v) => sum + v, 0) : null));
  }
}
