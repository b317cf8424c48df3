/** The Segment tab's worker: reads files and weights, segments, and writes masks. */
import { zipSync } from 'fflate';
import { DataError, reasonOf } from '../../src/data/error.js';
import { encodePng } from '../../src/data/png.js';
import type { FileSource } from '../../src/data/source.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';
import { blobSource, openZipBlob } from '../../src/data/web/blobs.js';
import { decodeWeights, modelFrom } from '../../src/unet/checkpoint.js';
import { ownThreshold } from '../../src/unet/threshold.js';
import { Moved } from '../rpc/messages.js';
import { emit, serve } from '../rpc/serve.js';
import { type GroupFiles, groupFiles, openGroup, readMask, type Volume } from './library.js';
import type { Encoding, Found, ModelEntry, ModelFacts, SegmentEvent, VolumeView } from './protocol.js';
import { Runner } from './runner.js';
import { sampleVolume } from './sample.js';
import { cachedBytes, clearCache, fetchWeights } from './weights.js';

const tell = (event: SegmentEvent): void => emit(event);

const runner = new Runner();
/** Of what is open, and of the last drop: one that cannot be read leaves the one before it. */
let groups: readonly GroupFiles[] = [];
let dropped: readonly GroupFiles[] = [];
let open: VolumeView | null = null;

function show({ view, images }: Volume): VolumeView {
  open = view;
  runner.setImages(images);
  return view;
}

/** @throws DataError where the file is no U-Net's, or its weights do not fit its own configuration */
function readModel(bytes: Uint8Array, name: string) {
  try {
    const weights = decodeWeights(bytes, name);
    const parameters = modelFrom(weights).parameterCount();
    return { weights, parameters, threshold: ownThreshold(weights) };
  } catch (error) {
    throw new DataError(reasonOf(error));
  }
}

async function setModel(bytes: Uint8Array, name: string, from: ModelFacts['from']): Promise<ModelFacts> {
  const { weights, parameters, threshold } = readModel(bytes, name);
  await runner.setModel(weights);
  const { config, preparation } = weights;
  return { name, config, parameters, threshold, size: preparation.size, bytes: bytes.length, from };
}

const api = {
  sample: (_: null): VolumeView => show(sampleVolume()),

  /** Looks through dropped files. */
  async find(files: ReadonlyMap<string, File>): Promise<Found> {
    const plain = new Map<string, File>();
    const sources: FileSource[] = [];
    for (const [path, file] of files) {
      if (/\.zip$/i.test(path)) sources.push(await openZipBlob(file, path));
      else plain.set(path, file);
    }
    if (plain.size > 0) sources.push(blobSource(plain, 'these files'));
    const found = await groupFiles(sources);
    if (found.groups.length > 0) {
      dropped = found.groups;
      return {
        is: 'slices',
        groups: dropped.map(({ label, slices }, id) => ({ id, label, slices: slices.length })),
      };
    }
    if (found.lonely.size === 0) {
      throw new DataError(
        `There is no TIFF or PNG image in ${[...files.keys()].slice(0, 3).join(', ') || 'this'}.`,
      );
    }
    const truths = new Map<number, Uint8Array>();
    const notes: string[] = [];
    const slices = open?.slices ?? [];
    for (const [stem, place] of found.lonely) {
      // One mask for one open slice needs no name to be understood.
      const alone = slices.length === 1 && found.lonely.size === 1;
      const index = alone ? 0 : slices.findIndex(({ name }) => name === stem);
      const slice = slices[index];
      if (!slice) {
        notes.push(`${place.path}: no slice named ${stem} is open.`);
        continue;
      }
      try {
        truths.set(index, await readMask(place, slice.width, slice.height));
      } catch (error) {
        notes.push(reasonOf(error));
      }
    }
    return { is: 'masks', truths, notes };
  },

  /** Reads a group of what is open, or of what was just dropped, which then takes its place. */
  async open({ group, of }: { readonly group: number; readonly of: 'open' | 'drop' }): Promise<VolumeView> {
    const from = of === 'drop' ? dropped : groups;
    const files = from[group];
    if (!files) throw new DataError('These slices are not there any more; open them again.');
    const volume = await openGroup(files, (done, total) =>
      tell({ is: 'progress', what: 'open', done, total }),
    );
    groups = from;
    return show(volume);
  },

  async fetchModel(entry: ModelEntry): Promise<ModelFacts> {
    const { bytes, from } = await fetchWeights(entry, (done, total) =>
      tell({ is: 'progress', what: 'fetch', done, total }),
    );
    return setModel(bytes, entry.name, from);
  },

  async readModel(file: File): Promise<ModelFacts> {
    return setModel(new Uint8Array(await file.arrayBuffer()), file.name, 'file');
  },

  segment: ({ run, from }: { readonly run: number; readonly from: number }): void => runner.start(run, from),
  look: (index: number): void => runner.look(index),
  cachedBytes: (_: null): Promise<number> => cachedBytes(),
  clearCache: (_: null): Promise<void> => clearCache(),

  /** A mask's file, or a zip of several. */
  encode({ format, masks }: Encoding): Moved<Uint8Array<ArrayBuffer>> {
    const files = masks.map(({ name, width, height, mask }) => {
      const image = { width, height, channels: 1 as const, data: mask.map((value) => 255 * value) };
      const bytes = format === 'png' ? encodePng(image) : encodeTiff(image);
      return [`${name}_mask.${format === 'png' ? 'png' : 'tif'}`, bytes] as const;
    });
    const [first] = files;
    // The views may share a larger buffer, so what is sent is a copy.
    const bytes = Uint8Array.from(
      files.length === 1 && first ? first[1] : zipSync(Object.fromEntries(files), { level: 6 }),
    );
    return new Moved(bytes, [bytes.buffer]);
  },
};

export type SegmentApi = typeof api;
serve(api);
