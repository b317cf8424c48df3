import { afterAll } from 'vitest';
import type { Device } from '../../src/engine/device.js';
import { openNodeDevice } from '../../src/node/device.js';

let opened: Promise<Device> | undefined;
let likeGpu: Promise<Device> | undefined;

/** The device of this test file: the adapter that SHADERGRAD_ADAPTER names, opened once and closed after the file's tests. */
export function testDevice(): Promise<Device> {
  opened ??= openNodeDevice();
  return opened;
}

/** The same adapter as if it were a GPU, so that its plans are those of one; with kernels that need no subgroups. */
export function gpuLikeDevice(): Promise<Device> {
  likeGpu ??= openNodeDevice().then((device) => {
    const { subgroupSize, ...rest } = device.facts;
    return Object.defineProperty(device, 'facts', { value: { ...rest, software: false, kind: 'other' } });
  });
  return likeGpu;
}

// Vitest gives each test file its own copy of this module. An error of the GPU that no test was told of fails the file here.
afterAll(async () => {
  if (opened) await (await opened).close();
  if (likeGpu) await (await likeGpu).close();
});
