import type { Device } from '../device.js';

/** GPUBufferUsage and GPUMapMode by the specification's numbers: Node has no such globals. */
export const bufferUsage = {
  MAP_READ: 1,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 64,
  STORAGE: 128,
  QUERY_RESOLVE: 512,
} as const;
export const MAP_READ_MODE = 1;

/** Copies `bytes` of a buffer out, from `offset` on, by a staging buffer of its own: for what is read now and then, not every step. */
export async function mapRead(
  device: Device,
  source: GPUBuffer,
  bytes: number,
  offset = 0,
): Promise<ArrayBuffer> {
  const staging = device.gpu.createBuffer({
    size: bytes,
    usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
  });
  try {
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
    device.gpu.queue.submit([encoder.finish()]);
    await device.guard(staging.mapAsync(MAP_READ_MODE));
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}
