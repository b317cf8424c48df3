import type { DatasetReport } from '../data/dataset.js';
import type { Split } from '../data/split.js';
import { plural } from './plural.js';

/** What was found in a data set, a line each. */
export function describeData(name: string, report: DatasetReport): string[] {
  const share = (100 * report.lesionPixels) / report.pixels;
  const lines = [
    `${name}: ${plural(report.patients, 'patient')}, ${plural(report.slices, 'slice')}, ${report.lesionSlices} with a lesion; ${share.toFixed(2)}% of pixels are lesion`,
    `sizes: ${report.sizes.map(({ width, height, slices }) => `${width}x${height} (${slices})`).join(', ')}; mask values: ${report.maskValues.join(', ')}`,
  ];
  if (report.duplicates.length > 0) {
    const where = report.duplicateTrees.length > 0 ? ` in ${report.duplicateTrees.join(', ')}` : '';
    const copies = plural(
      report.duplicates.length,
      'file that is a byte for byte copy',
      'files that are byte for byte copies',
    );
    lines.push(`left out ${copies}${where}`);
  }
  if (report.ignored.length > 0) {
    lines.push(
      `left out ${plural(report.ignored.length, 'file that is no slice', 'files that are no slices')}: ${some(report.ignored)}`,
    );
  }
  if (report.lesionSlices === 0) lines.push('warning: no mask holds a lesion; there is nothing to learn');
  return lines;
}

/** How the patients are split, in a line; patients on neither side are named. */
export function describeSplit(split: Split): string[] {
  const seed = split.seed === undefined ? '' : `, seed ${split.seed}`;
  const lines = [
    `split ${split.kind}${seed}: ${plural(split.train.length, 'patient trains', 'patients train')}, ${split.valid.length} ${split.valid.length === 1 ? 'validates' : 'validate'}`,
  ];
  if (split.unused.length > 0) lines.push(`on neither side: ${some(split.unused)}`);
  return lines;
}

function some(names: readonly string[]): string {
  return names.length <= 4
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
