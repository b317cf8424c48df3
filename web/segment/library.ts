/** From files to volumes: what belongs together, and its pixels. */
import { DataError, reasonOf } from '../../src/data/error.js';
import { decodeImage, grayOf, isImageName, rgbOf } from '../../src/data/image.js';
import type { FileSource } from '../../src/data/source.js';
import type { Image8 } from '../../src/unet/segment.js';
import type { SliceView, VolumeView } from './protocol.js';

const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;
const MASK_STEM = /^(.*?)[_\-. ]?mask$/i;
const NUMBERED = /^(.+)_(\d+)$/;

/** Where a file's bytes come from. */
export interface Place {
  readonly source: FileSource;
  readonly path: string;
}

export interface SliceFiles {
  readonly stem: string;
  readonly number: number;
  readonly image: Place;
  readonly mask: Place | null;
}

export interface GroupFiles {
  readonly label: string;
  readonly slices: readonly SliceFiles[];
}

/** Masks for which no image was among the files, by the stem of the slice they belong to. */
export type LonelyMasks = ReadonlyMap<string, Place>;

interface Part {
  image?: Place;
  mask?: Place;
  number: number;
}

/**
 * Groups the images of `sources` by patient (`<patient>_<n>.tif`) or else by folder, with the masks named after them.
 * A slice that is there twice, as in the public archive's doubled tree, counts once: the least deep.
 */
export async function groupFiles(
  sources: readonly FileSource[],
): Promise<{ groups: GroupFiles[]; lonely: LonelyMasks }> {
  const found = new Map<string, Map<string, Part>>();
  const places: Place[] = [];
  for (const source of sources) {
    for (const { path } of await source.list()) {
      if (isImageName(path) && !HIDDEN.test(path)) places.push({ source, path });
    }
  }
  const depth = ({ path }: Place) => path.split('/').length;
  for (const place of places.sort((a, b) => depth(a) - depth(b))) {
    const folder = place.path.split('/').slice(0, -1).join('/');
    const file = place.path.slice(place.path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '');
    const asMask = MASK_STEM.exec(file);
    const stem = asMask?.[1] ?? file;
    const numbered = NUMBERED.exec(stem);
    const group = numbered?.[1] ?? folder;
    const parts = found.get(group) ?? new Map<string, Part>();
    found.set(group, parts);
    const part = parts.get(stem) ?? { number: numbered ? Number(numbered[2]) : 0 };
    parts.set(stem, part);
    if (asMask) part.mask ??= place;
    else part.image ??= place;
  }
  const groups: GroupFiles[] = [];
  const lonely = new Map<string, Place>();
  for (const [label, parts] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const slices: SliceFiles[] = [];
    for (const [stem, { image, mask, number }] of parts) {
      if (image) slices.push({ stem, number, image, mask: mask ?? null });
      else if (mask) lonely.set(stem, mask);
    }
    slices.sort((a, b) => a.number - b.number || (a.stem < b.stem ? -1 : 1));
    if (slices.length > 0) groups.push({ label: label || 'files', slices });
  }
  return { groups, lonely };
}

/** A volume with what the page shows and what the model takes. */
export interface Volume {
  readonly view: VolumeView;
  /** RGB, one for each slice of the view. */
  readonly images: readonly Image8[];
}

/** Reads a group. A slice that cannot be read is left out and named. @throws DataError where none can be read */
export async function openGroup(
  { label, slices }: GroupFiles,
  onProgress: (done: number, total: number) => void,
): Promise<Volume> {
  const notes: string[] = [];
  const views: SliceView[] = [];
  const images: Image8[] = [];
  for (const [done, slice] of slices.entries()) {
    onProgress(done, slices.length);
    try {
      const raw = decodeImage(await slice.image.source.read(slice.image.path), slice.image.path);
      const { width, height, note } = raw;
      const image = { width, height, data: rgbOf(raw, slice.image.path) };
      if (note !== undefined) notes.push(note);
      let truth: Uint8Array | null = null;
      if (slice.mask) {
        try {
          truth = await readMask(slice.mask, width, height);
        } catch (error) {
          notes.push(reasonOf(error));
        }
      }
      views.push({ name: slice.stem, width, height, gray: flairOf(image), truth });
      images.push(image);
    } catch (error) {
      notes.push(reasonOf(error));
    }
  }
  onProgress(slices.length, slices.length);
  if (views.length === 0) throw new DataError(notes[0] ?? `${label}: there is no slice here.`);
  return { view: { name: label, slices: views, notes }, images };
}

/** A true mask, 0 or 1. @throws DataError where it is coloured or of another size */
export async function readMask({ source, path }: Place, width: number, height: number): Promise<Uint8Array> {
  const raw = decodeImage(await source.read(path), path);
  if (raw.width !== width || raw.height !== height) {
    throw new DataError(
      `${path}: the mask is ${raw.width}x${raw.height} and its slice is ${width}x${height}; they must be of one size.`,
    );
  }
  const gray = grayOf(raw.channels === 4 ? { ...raw, channels: 3, data: rgbOf(raw, path) } : raw, path);
  const high = gray.reduce((most, value) => Math.max(most, value), 0);
  return gray.map((value) => (2 * value > high ? 1 : 0));
}

/** The second channel of an RGB image. */
export function flairOf({ data }: Image8): Uint8Array {
  return Uint8Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + 1] as number);
}
