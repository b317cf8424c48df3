import { afterAll } from 'vitest';
import type { Device } from '../../src/engine/device.js';
import { openNodeDevice } from '../../src/node/device.js';

let opened: Promise<Device> | undefined;

/** The device of this test file: the adapter that SHADERGRAD_ADAPTER names, opened once and closed after the file's tests. */
export function testDevice(): Promise<Device> {
  opened ??= openNodeDevice();
  return opened;
}

// Vitest gives each test file its own copy of this module. An error of the GPU that no test was told of fails the file here.
afterAll(async () => {
  if (opened) await (await opened).close();
});
