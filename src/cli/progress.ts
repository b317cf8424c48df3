/** What is seen while a run goes on: one live line on a terminal, plain lines now and then in a pipe, or JSON lines. */
import type { Io } from './io.js';
import { plural } from './plural.js';
import type { EpochRecord, Losses, ScalingRecord, StepRecord } from './records.js';

/** How a progress shows itself. */
export interface ProgressOptions {
  readonly json?: boolean;
  /** All steps of the run. */
  readonly totalSteps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Milliseconds, rising; for tests. */
  readonly now?: () => number;
}

/** The least time between two live lines, and between two plain ones, in milliseconds. */
const LIVE_EVERY = 100;
const PLAIN_EVERY = 10_000;
/** Speed is taken over about this much time. */
const SPEED_WINDOW = 30_000;

const CLEAR_LINE = '\r\x1b[K';

/** What a terminal is sent while kernels compile, over whatever its line shows; at the end the line is free. */
export function compileLine(done: number, total: number): string {
  return done === total ? CLEAR_LINE : `${CLEAR_LINE}compiling kernels ${done}/${total}`;
}

/** Shows a training run. Figures go to `io.stdout`. */
export class Progress {
  readonly #io: Io;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #live = false;
  /** Moments of late steps: time, steps and images done by then. It begins with a finished step, as what comes before the first is no measure of one. */
  #trail: { at: number; step: number; images: number }[] = [];
  #images = 0;
  #validatingSince: number | undefined;
  /** How long a validation takes, by the last one. */
  #validation = 0;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A step is done. @param images how many it took */
  step(record: StepRecord, images: number): void {
    const now = this.#now();
    this.#images += images;
    this.#trail.push({ at: now, step: record.step, images: this.#images });
    while (this.#trail.length > 2 && now - (this.#trail[1] as { at: number }).at > SPEED_WINDOW)
      this.#trail.shift();
    if (!this.#due(now)) return;
    const { epochs, stepsPerEpoch } = this.#options;
    const inEpoch = record.step - (record.epoch - 1) * stepsPerEpoch;
    const speed = this.imagesPerSecond();
    const left = this.secondsLeft(record);
    if (this.#options.json) {
      const known = { imagesPerSecond: speed > 0 ? round(speed) : null, secondsLeft: round(left) };
      this.#print(JSON.stringify({ ...record, ...known }));
      return;
    }
    this.#show(
      [
        `epoch ${record.epoch}/${epochs}`,
        `step ${inEpoch}/${stepsPerEpoch}`,
        `loss ${record.loss.toFixed(4)}`,
        ...(speed > 0 ? [`${speedText(speed)} images/s`, `${duration(left)} left`] : []),
      ].join('  '),
    );
  }

  /** Validation, or another phase with its own count, has come to `done` of `total`. */
  phase(name: string, done: number, total: number): void {
    const now = this.#now();
    if (name === 'validating') this.#validatingSince ??= now;
    if (!this.#due(now)) return;
    if (this.#options.json) this.#print(JSON.stringify({ kind: 'phase', name, done, total }));
    else this.#show(`${name} ${done}/${total}`);
  }

  /** An epoch is done: its lines stay. */
  epoch(record: EpochRecord): void {
    const now = this.#now();
    if (this.#validatingSince !== undefined) this.#validation = now - this.#validatingSince;
    this.#validatingSince = undefined;
    // Validation is no step: speed starts anew after it.
    this.#trail = [{ at: now, step: record.step, images: this.#images }];
    if (this.#options.json) this.#print(JSON.stringify(record));
    else for (const line of epochLines(record)) this.#print(line);
  }

  /** A remark that stays, such as where something was written. In JSON a line of kind `note`. */
  note(text: string): void {
    this.#print(this.#options.json ? JSON.stringify({ kind: 'note', text }) : text);
  }

  /** Takes the live line away; to be called at the end, and before anything else is printed. */
  finish(): void {
    if (this.#live) this.#io.stdout.write(CLEAR_LINE);
    this.#live = false;
  }

  /** Images per second over the last half minute; 0 before the second step. */
  imagesPerSecond(): number {
    const { seconds, images } = this.#window();
    return seconds > 0 ? images / seconds : 0;
  }

  /** Seconds until the run is done, validations included; Infinity before the second step. */
  secondsLeft({ step, epoch }: Pick<StepRecord, 'step' | 'epoch'>): number {
    const { seconds, steps } = this.#window();
    if (steps === 0) return Number.POSITIVE_INFINITY;
    const validations = (this.#options.epochs - epoch + 1) * (this.#validation / 1000);
    return ((this.#options.totalSteps - step) * seconds) / steps + validations;
  }

  #window() {
    const [first, last] = [this.#trail[0], this.#trail.at(-1)];
    if (!first || !last) return { seconds: 0, steps: 0, images: 0 };
    return {
      seconds: (last.at - first.at) / 1000,
      steps: last.step - first.step,
      images: last.images - first.images,
    };
  }

  #due(now: number): boolean {
    const every = this.#io.stdout.isTTY && !this.#options.json ? LIVE_EVERY : PLAIN_EVERY;
    if (now - this.#shownAt < every) return false;
    this.#shownAt = now;
    return true;
  }

  #show(text: string): void {
    if (!this.#io.stdout.isTTY) {
      this.#print(text);
      return;
    }
    // A line that wraps could not be taken back.
    const width = (this.#io.stdout.columns ?? 80) - 1;
    this.#io.stdout.write(`${CLEAR_LINE}${text.slice(0, width)}`);
    this.#live = true;
  }

  #print(line: string): void {
    this.finish();
    this.#io.stdout.write(`${line}\n`);
  }
}

/** An epoch as text: the reference's line, and beside it how good the masks are. */
export function epochLines({
  epoch,
  train,
  valid,
  quality,
  scaling,
  best,
  seconds,
  imagesPerSecond,
}: EpochRecord): string[] {
  const { meanDice, medianDice, lesionSliceDice, falsePositiveSlices, lesionFreeSlices } = quality;
  return [
    `Epoch ${epoch} — train: ${losses(train)} | valid: ${losses(valid)}`,
    `  patients' Dice: mean ${figure(meanDice)} median ${figure(medianDice)} | lesion slices ${figure(lesionSliceDice)} | false-positive slices ${falsePositiveSlices}/${lesionFreeSlices} | ${duration(seconds)}, ${speedText(imagesPerSecond)} images/s${scalingText(scaling)}${best ? ' | best so far' : ''}`,
  ];
}

function scalingText(scaling: ScalingRecord | undefined): string {
  return scaling ? ` | loss scale ${scaling.scale}, ${plural(scaling.skipped, 'step')} skipped` : '';
}

/** `0.0334`, `12.3`, `1240`. */
function speedText(speed: number): string {
  return speed < 100 ? speed.toPrecision(3) : speed.toFixed(0);
}

/** A span of time: `42 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
}

function losses({ loss, bce, dice }: Losses): string {
  return `loss ${loss.toFixed(6)} bce ${bce.toFixed(6)} dice ${dice.toFixed(6)}`;
}

function figure(value: number | null): string {
  return value === null ? 'none' : value.toFixed(4);
}

/** Three digits are enough for a speed; JSON has no infinity. */
function round(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : null;
}
