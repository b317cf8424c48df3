/** Devices that plans can be made for, by name or from a file. */
import type { DeviceFacts, DeviceLimits } from '../engine/kernel.js';
import { known, least } from './deviceFacts.js';
import { readText } from './files.js';
import { UsageError } from './io.js';

export const knownDevices: readonly string[] = Object.keys(known);

/**
 * Facts of a device by name, or from a file that `shadergrad info --json` wrote.
 * @throws UsageError listing the names, or saying that the file has no facts
 */
export async function factsOf(nameOrFile: string): Promise<DeviceFacts> {
  const found = Object.hasOwn(known, nameOrFile) ? known[nameOrFile] : undefined;
  if (found) return found;
  if (!/[./\\]/.test(nameOrFile)) {
    throw new UsageError(
      `--device must be one of ${knownDevices.join(', ')}, or a file from shadergrad info --json, not "${nameOrFile}".`,
    );
  }
  const text = await readText(nameOrFile);
  try {
    const { chosen } = JSON.parse(text) as { chosen: DeviceFacts };
    const whole =
      typeof chosen.kind === 'string' &&
      typeof chosen.description === 'string' &&
      typeof chosen.software === 'boolean' &&
      Array.isArray(chosen.features) &&
      Object.keys(least).every((name) => Number.isFinite(chosen.limits[name as keyof DeviceLimits]));
    if (whole) return chosen;
  } catch {
    // The sentence below says it.
  }
  throw new UsageError(`${nameOrFile} holds no facts of a device; write it by shadergrad info --json.`);
}
