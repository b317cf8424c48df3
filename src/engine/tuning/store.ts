import { ShaderGradError } from '../errors.js';
import type { DeviceFacts } from '../kernel.js';
import { isTableOf, parseTable, type TunedDevice, type TuningTable, tunedDevice } from './table.js';

/** Text by key, such as a page's `localStorage`. */
export interface TextStore {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
}

function keyOf({ kind, description, subgroupSize }: TunedDevice): string {
  return `shadergrad tuning ${kind} ${description} ${subgroupSize ?? ''}`;
}

/** The device's own table, for `device.tuning`; undefined where none is stored or what is stored is none. */
export function loadTuning(facts: DeviceFacts, store: TextStore): TuningTable | undefined {
  const text = store.getItem(keyOf(tunedDevice(facts)));
  if (text === null) return undefined;
  try {
    const table = parseTable(text, 'What is stored here');
    return isTableOf(table, facts) ? table : undefined;
  } catch (error) {
    // Nobody can repair a page's storage; the next tuning replaces it.
    if (error instanceof ShaderGradError) return undefined;
    throw error;
  }
}

/** Keeps a table for {@link loadTuning}. @throws what the store throws when it is full */
export function saveTuning(table: TuningTable, store: TextStore): void {
  store.setItem(keyOf(table.device), JSON.stringify(table));
}
