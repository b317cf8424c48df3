import type { Device } from '../../engine/device.js';
import { openNodeDevice } from '../../node/device.js';
import type { DeviceOptions } from '../flags.js';
import { UsageError } from '../io.js';

/** The device that the options ask for. */
export async function openCliDevice({ adapter, software, power }: DeviceOptions): Promise<Device> {
  const device = await openNodeDevice({
    ...(adapter !== undefined ? { adapter } : software === true ? { adapter: 'software' } : {}),
    ...(power === undefined ? {} : { powerPreference: power }),
  });
  if (software === false && device.facts.software) {
    const name = device.name;
    await device.close();
    throw new UsageError(`--no-software was given, but the only adapter is ${name}, which runs on the CPU.`);
  }
  return device;
}
