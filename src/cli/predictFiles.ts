/** The files' side of `predict`: from images wherever they lie to masks of their own size. */
import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { reasonOf } from '../data/error.js';
import { decodeImage, isImageName, type RawImage, rgbOf } from '../data/image.js';
import { openSource } from '../data/node/files.js';
import { sameBytes } from '../data/pairing.js';
import { encodePng } from '../data/png.js';
import type { FileSource, SourceEntry } from '../data/source.js';
import { encodeTiff } from '../data/tiffWriter.js';
import { GpuError } from '../engine/device.js';
import { thresholdMask } from '../unet/metrics.js';
import type { PredictOptions } from './commands/predict.js';
import { atomicWrite, exists, FileError } from './files.js';
import { Stopped } from './interrupt.js';
import type { Io } from './io.js';
import { plural } from './plural.js';

/** An image as the network's side takes it: RGB, interleaved, [height, width, 3]. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Gives the probabilities of an image at its own size, [height, width]. */
export type Segment = (image: RgbImage) => Promise<Float32Array>;

/** How it went. */
export interface PredictResult {
  readonly written: number;
  readonly skipped: number;
  /** Masks without a single lesion pixel. */
  readonly empty: number;
  readonly failed: readonly { readonly input: string; readonly reason: string }[];
}

/** Some inputs failed; the others are written. */
export class PredictError extends Error {
  override readonly name = 'PredictError';
}

type FileOptions = Pick<
  PredictOptions,
  'inputs' | 'out' | 'probabilities' | 'format' | 'skipExisting' | 'json'
> & { readonly threshold: number };

/** An image to segment. */
interface Job {
  /** How it is called in messages. */
  readonly input: string;
  readonly output: string;
  readonly read: () => Promise<Uint8Array>;
}

const MASK_NAME = /_mask\.(tiff?|png)$/i;
const PROBABILITIES_NAME = /_prob\.(tiff?|png)$/i;

/**
 * Segments every image of `options.inputs` (files, folders, zips) into `options.out`, where a folder's or zip's own
 * folders are kept: `a/scan.tif` becomes `a/scan_mask.tif`, or `a/scan_prob.tif` with probabilities as 0..255.
 * Files named `_mask` within folders and zips are left out, and so are those of a tree's second copy. A bad file is named and does not stop the rest.
 * @param signal which one asked to stop, if any: no further image is begun then
 * @throws Stopped where one did; PredictError at the end when any failed; at once FileError when nothing can be written, GpuError when the device is lost
 */
export async function predictFiles(
  options: FileOptions,
  segment: Segment,
  io: Io,
  signal: () => string | null = () => null,
): Promise<PredictResult> {
  const teller = new Teller(io, options.json ?? false, options.threshold);
  const sources: FileSource[] = [];
  try {
    const { jobs, taken } = await collect(options, sources, teller);
    const outputs = new Map<string, string>();
    let ahead: Promise<Loaded> | undefined;
    for (const [index, job] of jobs.entries()) {
      if (signal() !== null) throw teller.stopped(signal() ?? '', jobs.length);
      const loading = ahead ?? load(job, options);
      // The next file is read and decoded while the GPU has this one.
      const next = jobs[index + 1];
      ahead = next && load(next, options);
      const place = resolve(job.output);
      const loaded = await loading;
      const other = outputs.get(place);
      if (other !== undefined && resolve(other) === resolve(job.input)) {
        teller.remark(`${job.input}: given twice, done once`);
      } else if (other !== undefined) {
        teller.failed(
          job.input,
          `its output ${job.output} is that of ${other} too; predict them in two runs, each with its own --out.`,
        );
      } else if (loaded.kind === 'there') {
        teller.skipped(job.input, job.output);
      } else if (taken.has((await fileOf(job.output)) ?? '')) {
        teller.failed(
          job.input,
          `its output ${job.output} would replace an input; give another --out, or --skip-existing where it is an earlier mask.`,
        );
      } else if (loaded.kind === 'bad') {
        teller.failed(job.input, loaded.reason);
      } else {
        await one(job, loaded, options, segment, teller);
      }
      outputs.set(place, job.input);
    }
    return teller.end();
  } finally {
    for (const source of sources) await source.close();
  }
}

type Loaded =
  | { readonly kind: 'there' }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'image'; readonly image: RgbImage; readonly note: string | undefined };

/** Never rejects, since it may be awaited late. */
async function load(job: Job, options: FileOptions): Promise<Loaded> {
  try {
    if (options.skipExisting && (await exists(job.output))) return { kind: 'there' };
    const raw = decodeImage(await job.read(), job.input);
    const { width, height, note } = raw;
    return { kind: 'image', image: { width, height, data: rgbOf(raw, job.input) }, note };
  } catch (error) {
    return { kind: 'bad', reason: reasonOf(error) };
  }
}

async function one(
  job: Job,
  { image, note }: Extract<Loaded, { kind: 'image' }>,
  options: FileOptions,
  segment: Segment,
  teller: Teller,
): Promise<void> {
  if (note !== undefined) teller.remark(note);
  let probabilities: Float32Array;
  try {
    probabilities = await segment(image);
    check(probabilities, image);
  } catch (error) {
    if (error instanceof GpuError && (error.code === 'lost' || error.code === 'closed')) throw error;
    teller.failed(job.input, reasonOf(error));
    return;
  }
  const mask = thresholdMask(probabilities, options.threshold);
  const data = options.probabilities
    ? Uint8Array.from(probabilities, (p) => Math.round(255 * p))
    : mask.map((value) => 255 * value);
  const file = { width: image.width, height: image.height, channels: 1, data } satisfies RawImage;
  await atomicWrite(job.output, /\.png$/i.test(job.output) ? encodePng(file) : encodeTiff(file));
  const lesion = mask.reduce((sum, value) => sum + value, 0);
  teller.written(job.input, job.output, image, lesion);
}

function check(probabilities: Float32Array, { width, height }: RgbImage): void {
  if (probabilities.length !== width * height) {
    throw new Error(`the model gave ${probabilities.length} probabilities for ${width}x${height} pixels.`);
  }
  for (const p of probabilities) {
    if (!(p >= 0 && p <= 1))
      throw new Error(`the model gave a probability of ${p}; its weights may be damaged.`);
  }
}

/** What tells a file on disk from all others, whatever path or link names it; undefined where there is none. */
async function fileOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  );
}

/** Opens the inputs and lists their images. `taken` holds every input file on disk, none of which may be replaced. */
async function collect(options: FileOptions, sources: FileSource[], teller: Teller) {
  const jobs: Job[] = [];
  const taken = new Set<string>();
  for (const input of options.inputs) {
    try {
      const source = await openSource(input);
      sources.push(source);
      const entries = await source.list();
      // A source of one file is named after its folder.
      const single = entries.length === 1 && resolve(source.name, entries[0]?.path ?? '') === resolve(input);
      const pictures = entries.filter(({ path }) => isImageName(path));
      const earlier = (path: string) =>
        PROBABILITIES_NAME.test(path) && resolve(source.name, path).startsWith(resolve(options.out) + sep);
      const found = pictures.filter(({ path }) => single || !(MASK_NAME.test(path) || earlier(path)));
      const copies = await copiesAmong(found, source);
      if (copies.size > 0) {
        const are = copies.size === 1 ? '1 that is a copy' : `${copies.size} that are copies`;
        teller.remark(`${input}: left out ${are} in a second tree`);
      }
      const images = found.filter((entry) => !copies.has(entry));
      // Of those in a zip there is no file, but the zip itself.
      for (const path of [input, ...entries.map(({ path }) => resolve(source.name, path))]) {
        const file = await fileOf(path);
        if (file !== undefined) taken.add(file);
      }
      if (images.length === 0) teller.failed(input, whyNone(single, pictures.length));
      for (const { path } of images) {
        jobs.push({
          input: single ? input : join(input, path),
          output: outputOf(path, options),
          read: () => source.read(path),
        });
      }
    } catch (error) {
      teller.failed(input, reasonOf(error));
    }
  }
  return { jobs, taken };
}

function whyNone(single: boolean, pictures: number): string {
  if (single) return 'its name does not end in .tif, .tiff or .png; give an image, a folder or a zip.';
  return pictures > 0
    ? 'it holds only masks, named _mask, which are left out; give the scans.'
    : 'there is no TIFF or PNG image in it; give a folder or zip of scans.';
}

/** Those whose path ends in the whole path of another, folder included, with the same bytes: the public archive has its tree twice. */
async function copiesAmong(
  entries: readonly SourceEntry[],
  source: FileSource,
): Promise<ReadonlySet<SourceEntry>> {
  const byPath = new Map(
    entries.filter(({ path }) => path.includes('/')).map((entry) => [entry.path, entry]),
  );
  const copies = new Set<SourceEntry>();
  for (const entry of entries) {
    for (let at = entry.path.indexOf('/'); at >= 0; at = entry.path.indexOf('/', at + 1)) {
      const other = byPath.get(entry.path.slice(at + 1));
      if (other && (await sameBytes(source, other, entry))) copies.add(entry);
    }
  }
  return copies;
}

function outputOf(path: string, { out, format, probabilities }: FileOptions): string {
  const dot = path.lastIndexOf('.');
  const extension = format === undefined ? path.slice(dot) : format === 'png' ? '.png' : '.tif';
  const output = join(out, `${path.slice(0, dot)}_${probabilities ? 'prob' : 'mask'}${extension}`);
  // Sources refuse paths that climb; what is written is held to it once more.
  if (!resolve(output).startsWith(resolve(out) + sep)) {
    throw new FileError(`${path} would be written outside ${out}.`, path, '');
  }
  return output;
}

/** Counts, and tells each file's fate as a line of text or of JSON. */
class Teller {
  #written = 0;
  #skipped = 0;
  #empty = 0;
  readonly #failed: { input: string; reason: string }[] = [];

  constructor(
    private readonly io: Io,
    private readonly json: boolean,
    private readonly threshold: number,
  ) {}

  written(input: string, output: string, { width, height }: RgbImage, lesionPixels: number): void {
    this.#written++;
    if (lesionPixels === 0) this.#empty++;
    if (this.json)
      this.#line({ kind: 'file', status: 'written', input, output, width, height, lesionPixels });
    else
      this.io.stdout.write(
        `${input} -> ${output} (${width}x${height}, ${plural(lesionPixels, 'lesion pixel')})\n`,
      );
  }

  skipped(input: string, output: string): void {
    this.#skipped++;
    if (this.json) this.#line({ kind: 'file', status: 'skipped', input, output });
    else this.io.stdout.write(`${input}: ${output} is there already\n`);
  }

  failed(input: string, why: string): void {
    // Reasons from below begin with the file's own name, or its zip's.
    const name = why.slice(0, Math.max(0, why.indexOf(': ')));
    const own = name !== '' && (name === input || input.startsWith(`${name}${sep}`));
    const reason = own ? why.slice(name.length + 2) : why;
    this.#failed.push({ input, reason });
    if (this.json) this.#line({ kind: 'file', status: 'failed', input, reason });
    this.io.stderr.write(`${input}: ${reason}\n`);
  }

  remark(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }

  /** Sums up and gives what is to be thrown. */
  stopped(signal: string, jobs: number): Stopped {
    this.#sum();
    const left = jobs - this.#written - this.#skipped - this.#failed.length;
    return new Stopped(
      `stopped by ${signal} with ${plural(left, 'image')} left; go on with --skip-existing.`,
    );
  }

  end(): PredictResult {
    const result = this.#sum();
    const names = this.#failed.map(({ input }) => input);
    if (names.length > 0) {
      const rest = names.length > 3 ? ` and ${names.length - 3} more` : '';
      const done = this.#written + this.#skipped;
      throw new PredictError(
        `${names.length} of ${plural(names.length + done, 'input')} failed: ${names.slice(0, 3).join(', ')}${rest}; ${done > 0 ? 'the others are done' : 'nothing was written'}.`,
      );
    }
    return result;
  }

  #sum(): PredictResult {
    const result = {
      written: this.#written,
      skipped: this.#skipped,
      empty: this.#empty,
      failed: this.#failed,
    };
    if (this.json) this.#line({ kind: 'summary', threshold: this.threshold, ...result });
    else this.io.stdout.write(`${summaryOf(result)}\n`);
    return result;
  }

  #line(value: unknown): void {
    this.io.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

function summaryOf({ written, skipped, empty, failed }: PredictResult): string {
  const parts = [`${written} written`];
  if (skipped > 0) parts.push(`${skipped} there already`);
  if (failed.length > 0) parts.push(`${failed.length} failed`);
  if (written > 0 && empty === written)
    parts.push('all of them without any lesion: check the model and the images');
  else if (empty > 0) parts.push(`${empty} of them without any lesion`);
  return parts.join(', ');
}
