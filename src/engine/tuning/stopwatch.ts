import type { Device } from '../device.js';
import { bufferUsage, MAP_READ_MODE } from '../program/usage.js';

/** Times passes on one device: by timestamp queries where it has them, else by the clock around submit and completion. */
export class Stopwatch {
  readonly usesTimestamps: boolean;
  private readonly querySet: GPUQuerySet | undefined;
  private readonly resolve: GPUBuffer | undefined;
  private readonly staging: GPUBuffer | undefined;

  constructor(private readonly device: Device) {
    const { gpu } = device;
    this.usesTimestamps = device.facts.features.includes('timestamp-query');
    if (!this.usesTimestamps) return;
    this.querySet = gpu.createQuerySet({ type: 'timestamp', count: 2 });
    this.resolve = gpu.createBuffer({ size: 16, usage: bufferUsage.QUERY_RESOLVE | bufferUsage.COPY_SRC });
    this.staging = gpu.createBuffer({ size: 16, usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST });
  }

  /** Milliseconds of one pass with everything `record` puts in it. */
  async once(record: (pass: GPUComputePassEncoder) => void): Promise<number> {
    const { querySet, resolve, staging } = this;
    const device = this.device;
    const { gpu } = device;
    await device.idle();
    const encoder = gpu.createCommandEncoder();
    if (!querySet || !resolve || !staging) {
      const pass = encoder.beginComputePass();
      record(pass);
      pass.end();
      const commands = encoder.finish();
      const start = performance.now();
      gpu.queue.submit([commands]);
      await device.idle();
      return performance.now() - start;
    }
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    record(pass);
    pass.end();
    encoder.resolveQuerySet(querySet, 0, 2, resolve, 0);
    encoder.copyBufferToBuffer(resolve, 0, staging, 0, 16);
    gpu.queue.submit([encoder.finish()]);
    await device.guard(staging.mapAsync(MAP_READ_MODE));
    const [from, to] = new BigUint64Array(staging.getMappedRange().slice(0)) as unknown as [bigint, bigint];
    staging.unmap();
    return Number(to - from) / 1e6;
  }

  destroy(): void {
    this.querySet?.destroy();
    this.resolve?.destroy();
    this.staging?.destroy();
  }
}
