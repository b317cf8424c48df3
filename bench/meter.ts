/** What one user of WebGPU has asked of its device, counted at the API, so that all peers are measured alike. */
export interface Meter {
  /** Bytes in buffers now, and the most there were at once. */
  bytes: number;
  peak: number;
  /** Calls so far. */
  buffers: number;
  bindGroups: number;
  pipelines: number;
  dispatches: number;
  submits: number;
}

const meters = new WeakMap<GPUDevice, Meter>();
const queues = new WeakMap<GPUQueue, Meter>();
const owners = new WeakMap<GPUBuffer, { meter: Meter; bytes: number }>();
let newest: Meter | undefined;
let passMeter: Meter | undefined;

/** The meter of the device made last. */
export function newestMeter(): Meter {
  if (!newest) throw new Error('No WebGPU device has been made yet.');
  return newest;
}

export function meterOf(device: GPUDevice): Meter {
  let meter = meters.get(device);
  if (!meter) {
    meter = { bytes: 0, peak: 0, buffers: 0, bindGroups: 0, pipelines: 0, dispatches: 0, submits: 0 };
    meters.set(device, meter);
    queues.set(device.queue, meter);
    newest = meter;
  }
  return meter;
}

/** A buffer that was dropped, not destroyed, still held its bytes until it was collected. */
const dropped = new FinalizationRegistry<{ meter: Meter; bytes: number }>((owner) => release(owner));

function release(owner: { meter: Meter; bytes: number }): void {
  owner.meter.bytes -= owner.bytes;
  owner.bytes = 0;
}

type Classes = typeof globalThis & Record<string, { prototype: object } | undefined>;

/** Puts the counters in place. `classes` holds WebGPU's constructors. Call once, before any device is made. */
export function installMeters(classes: object): void {
  const after = <T extends object>(
    className: string,
    method: string,
    tell: (self: T, args: unknown[], result: unknown) => void,
  ) => {
    const prototype = (classes as Classes)[className]?.prototype as
      | Record<string, (...args: unknown[]) => unknown>
      | undefined;
    const plain = prototype?.[method];
    if (!prototype || !plain) return;
    prototype[method] = function (this: T, ...args: unknown[]) {
      const result = plain.apply(this, args);
      tell(this, args, result);
      return result;
    };
  };
  after('GPUAdapter', 'requestDevice', (_, __, result) => {
    void (result as Promise<GPUDevice>).then(meterOf, () => {});
  });
  after<GPUDevice>('GPUDevice', 'createBuffer', (device, [descriptor], result) => {
    const meter = meterOf(device);
    const owner = { meter, bytes: (descriptor as GPUBufferDescriptor).size };
    meter.buffers++;
    meter.bytes += owner.bytes;
    meter.peak = Math.max(meter.peak, meter.bytes);
    owners.set(result as GPUBuffer, owner);
    dropped.register(result as GPUBuffer, owner);
  });
  after<GPUBuffer>('GPUBuffer', 'destroy', (buffer) => {
    const owner = owners.get(buffer);
    if (owner) release(owner);
  });
  after<GPUDevice>('GPUDevice', 'createBindGroup', (device) => meterOf(device).bindGroups++);
  for (const method of ['createComputePipeline', 'createComputePipelineAsync']) {
    after<GPUDevice>('GPUDevice', method, (device) => meterOf(device).pipelines++);
  }
  after<GPUDevice>('GPUDevice', 'createCommandEncoder', (device) => {
    passMeter = meterOf(device);
  });
  after('GPUComputePassEncoder', 'dispatchWorkgroups', () => {
    if (passMeter) passMeter.dispatches++;
  });
  after<GPUQueue>('GPUQueue', 'submit', (queue) => {
    const meter = queues.get(queue);
    if (meter) meter.submits++;
  });
}
