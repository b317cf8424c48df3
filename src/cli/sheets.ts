/** Sheets of several pictures: the evaluation's three rows, a sheet of augmentations, a contact sheet of overlays. */
import { textWidth } from './font.js';
import { type OverlaySlice, overlay } from './overlay.js';
import { type Cell, type Color, grid, Picture } from './picture.js';

const LABEL: Color = [255, 220, 120];
/** Small slices are enlarged no further than this to make room for what is written below them. */
const MOST_SCALE = 8;

/** By how much to enlarge slices of this width, so that the lines below each are not cut. */
function fitting(width: number, captions: readonly (readonly string[])[]): number {
  const longest = Math.max(...captions.flat().map(textWidth), 0);
  return Math.min(MOST_SCALE, Math.max(1, Math.ceil(longest / width)));
}

function widest(slices: readonly { readonly width: number }[]): number {
  return Math.max(1, ...slices.map(({ width }) => width));
}

/** A slice of the evaluation's picture. */
export interface EvaluationSlice {
  readonly width: number;
  readonly height: number;
  /** RGB, [height, width, 3]. */
  readonly image: Uint8Array;
  /** What is not 0 is lesion, [height, width]. */
  readonly truth: Uint8Array;
  /** Probabilities, [height, width]. */
  readonly prediction: Float32Array;
  /** Of this slice alone. */
  readonly bce: number;
  /** Dice loss of this slice alone, as training has it. */
  readonly dice: number;
  /** A line of its own above the figures, such as patient and slice. */
  readonly name?: string;
}

/** The reference's picture: a column a slice, with scan, truth and predicted probabilities, and the slice's losses below. */
export function evaluationSheet(slices: readonly EvaluationSlice[]): Picture {
  const captions = slices.map(({ bce, dice, name }) => {
    const figures = `bce ${bce.toFixed(4)}  dice ${dice.toFixed(4)}`;
    return name === undefined ? [figures] : [name, figures];
  });
  const scale = fitting(widest(slices), captions);
  const columns = slices.length;
  const scans = slices.map(({ width, height, image }) => Picture.rgb(width, height, image));
  const truths = slices.map(({ width, height, truth }) =>
    Picture.gray(
      width,
      height,
      truth.map((value) => (value === 0 ? 0 : 255)),
    ),
  );
  const predictions = slices.map(({ width, height, prediction }) =>
    Picture.gray(
      width,
      height,
      Uint8Array.from(prediction, (p) => Math.round(255 * Math.min(1, Math.max(0, p)))),
    ),
  );
  const rows: Cell[] = [...scans, ...truths].map((picture) => ({ picture: picture.enlarge(scale) }));
  const top = grid(rows, { columns });
  const bottom = grid(
    predictions.map((picture, i) => ({ picture: picture.enlarge(scale), caption: captions[i] ?? [] })),
    { columns },
  );
  const sheet = new Picture(top.width, top.height + bottom.height - 4);
  sheet.paste(top, 0, 0);
  sheet.paste(bottom, 0, top.height - 4);
  const rowHeight = (top.height - 4) / 2;
  ['scan', 'truth', 'prediction'].forEach((label, row) => {
    sheet.text(label, 8, row * rowHeight + 8, LABEL);
  });
  return sheet;
}

/** An augmented slice and how it came about. */
export interface AugmentedSlice extends OverlaySlice {
  /** Degrees; positive is counter-clockwise. */
  readonly angle: number;
  readonly scale: number;
  readonly flip: boolean;
}

/** Augmentations of one slice in rows of six, the mask's outline in green. */
export function augmentationSheet(slices: readonly AugmentedSlice[], columns = 6): Picture {
  const captions = slices.map(({ scale, angle, flip }) => [
    `×${scale.toFixed(2)}  ${angle >= 0 ? '+' : ''}${angle.toFixed(0)}°${flip ? '  flip' : ''}`,
  ]);
  const scale = fitting(widest(slices), captions);
  return grid(
    slices.map((slice, i) => ({
      picture: overlay(slice, { stretch: false, scale }),
      caption: captions[i] ?? [],
    })),
    { columns },
  );
}

/** Overlays with captions in rows. @param least how far to enlarge them in any case */
export function contactSheet(
  slices: readonly (OverlaySlice & { readonly caption: readonly string[] })[],
  columns = 4,
  least = 1,
): Picture {
  const fit = fitting(
    widest(slices),
    slices.map(({ caption }) => caption),
  );
  const scale = Math.max(least, fit);
  return grid(
    slices.map((slice) => ({ picture: overlay(slice, { scale }), caption: slice.caption })),
    { columns, textScale: scale >= 2 * fit ? 2 : 1 },
  );
}
