import { presets, type TrainConfig } from '../unet/config.js';
import { usualSplit } from './splitFlags.js';

/** Where settings start from when nothing is told. */
export const DEFAULT_PRESET = 'small';

/** What a setting is called, by its flag where one changes it, and how a preset has it. */
const SETTINGS: readonly (readonly [
  name: string,
  of: (config: TrainConfig, preset: string) => string | number,
])[] = [
  ['--epochs', ({ epochs }) => epochs],
  ['--batch-size', ({ batchSize }) => batchSize],
  ['--lr', ({ lr }) => lr],
  ['--size', ({ size }) => size],
  ['--depth', ({ model }) => model.depth],
  ['--base-channels', ({ model }) => model.baseChannels],
  ['--dropout', ({ model }) => model.dropout],
  ['--dice-weight', ({ diceWeight }) => diceWeight],
  ['--precision', ({ precision }) => precision ?? 'f32'],
  ['--split', (_, preset) => usualSplit(preset)],
  ['--seed', ({ seed }) => seed],
  ['optimiser', ({ optimizer }) => optimizer],
  ['cross-entropy on', ({ crossEntropy }) => crossEntropy],
  ['draws', ({ sampling }) => sampling],
  ['scale', ({ augmentation }) => `1 ± ${augmentation.scale}`],
  ['rotation', ({ augmentation: { angle } }) => `${angle[0]}° to ${angle[1]}°`],
  ['flip', ({ augmentation }) => augmentation.flip],
];

/** The presets side by side, the usual one first, for a command's help. */
export function presetTable(): string {
  const names = Object.keys(presets).sort(
    (a, b) => Number(b === DEFAULT_PRESET) - Number(a === DEFAULT_PRESET),
  );
  const rows = [
    ['', ...names],
    ...SETTINGS.map(([name, of]) => [
      name,
      ...names.map((preset) => String(of(presets[preset] as TrainConfig, preset))),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
