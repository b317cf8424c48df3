import { readFileSync } from 'node:fs';
import type { AnyCase } from '../ops/case.js';
import { type Array64, numel } from '../reference/array.js';

interface Stored {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly float32Error: number;
}

interface StoredEntry {
  readonly case: AnyCase & { readonly seed: number };
  readonly value: Stored;
  readonly gradients: readonly (Stored | null)[];
}

/** What PyTorch makes of an array in float64, and how far its own float32 is from it. */
export interface Golden extends Array64 {
  readonly float32Error: number;
}

export interface GoldenEntry {
  readonly case: AnyCase & { readonly seed: number };
  readonly value: Golden;
  /** For each input; null where it gets none. */
  readonly gradients: readonly (Golden | null)[];
}

/** Reads what make.py wrote. */
export function readGolden(): { readonly torch: string; readonly entries: readonly GoldenEntry[] } {
  const text = readFileSync(new URL('ops.json', import.meta.url), 'utf8');
  const { torch, entries } = JSON.parse(text) as { torch: string; entries: StoredEntry[] };
  const bytes = readFileSync(new URL('ops.bin', import.meta.url));
  const values = new Float64Array(Uint8Array.from(bytes).buffer);
  const read = (at: Stored): Golden => ({
    shape: at.shape,
    data: values.slice(at.offset, at.offset + numel(at.shape)),
    float32Error: at.float32Error,
  });
  return {
    torch,
    entries: entries.map((entry) => ({
      case: entry.case,
      value: read(entry.value),
      gradients: entry.gradients.map((g) => g && read(g)),
    })),
  };
}
