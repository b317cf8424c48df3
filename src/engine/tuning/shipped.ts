/** The tables that ship, for devices that were measured; used where a device has no table of its own. */
import { getOrMake } from '../getOrMake.js';
import type { DeviceFacts } from '../kernel.js';
import { llvmpipe } from './shipped/llvmpipe.js';
import { swiftshader } from './shipped/swiftshader.js';
import { type TuningEntry, type TuningTable, tunedDevice } from './table.js';

/** The best kernel's name to the keys of the problems it is best for. */
export type ShippedEntries = Readonly<Record<string, readonly string[]>>;

const shipped: Readonly<Record<string, ShippedEntries>> = { llvmpipe, swiftshader };
const tables = new Map<string, TuningTable>();

/** The table for a kind of device; null where none ships. */
export function shippedTable(facts: DeviceFacts): TuningTable | null {
  const { kind } = facts;
  const lists = Object.hasOwn(shipped, kind) ? shipped[kind] : undefined;
  if (!lists) return null;
  return getOrMake(tables, kind, () => {
    const entries: Record<string, TuningEntry> = {};
    for (const [variant, keys] of Object.entries(lists))
      for (const key of keys) entries[key] = { variant, milliseconds: {} };
    return { format: 'shadergrad-tuning', version: 1, device: tunedDevice(facts), entries };
  });
}
