import type { Device } from '../../engine/device.js';
import type { DeviceFacts } from '../../engine/kernel.js';
import type { TuningTable } from '../../engine/tuning/table.js';
import { openNodeDevice } from '../../node/device.js';
import { readTuning, savedTuning } from '../../node/tuningFile.js';
import { FileError } from '../files.js';
import type { DeviceOptions, TuningOptions } from '../flags.js';
import { UsageError } from '../io.js';

/** The device that the options ask for, with its tuning table. */
export async function openCliDevice({
  adapter,
  software,
  power,
  tuning,
}: DeviceOptions & TuningOptions): Promise<Device> {
  const device = await openNodeDevice({
    ...(adapter !== undefined ? { adapter } : software === true ? { adapter: 'software' } : {}),
    ...(power === undefined ? {} : { powerPreference: power }),
  });
  try {
    if (software === false && device.facts.software) {
      throw new UsageError(
        `--no-software was given, but ${device.name} is what there is, which runs on the CPU; leave the flag out, or install a GPU's driver.`,
      );
    }
    device.tuning =
      tuning === undefined
        ? ((await savedTuning(device.facts)) ?? undefined)
        : await given(device.facts, tuning);
    return device;
  } catch (error) {
    await device.close();
    throw error;
  }
}

/** The table that `--tuning` names, which must be for this kind of device; null for `--no-tuning`. */
export async function given(facts: DeviceFacts, tuning: string | false): Promise<TuningTable | null> {
  if (tuning === false) return null;
  const table = await readTuning(tuning);
  if (!table) throw new FileError(`There is no tuning table ${tuning}.`, tuning, 'ENOENT');
  if (table.device.kind !== facts.kind) {
    throw new UsageError(
      `${tuning} was measured on ${table.device.description}, which says nothing of ${facts.description}.`,
    );
  }
  return table;
}
