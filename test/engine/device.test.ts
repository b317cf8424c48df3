import { describe, expect, it } from 'vitest';
import { type AdapterInfo, type Device, GpuError, kindOf, openDevice } from '../../src/engine/device.js';
import { openNodeDevice } from '../../src/node/device.js';
import { testDevice } from '../support/device.js';

const MAP_READ = 1;
const MAP_WRITE = 2;
const COPY_DST = 8;

/** A validation error outside any error scope: these two usages exclude each other. */
function makeMistake(device: Device): void {
  device.gpu.createBuffer({ size: 16, usage: MAP_READ | MAP_WRITE });
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof GpuError ? error.code : String(error)),
  );
}

describe('openDevice', () => {
  it('asks for all that the adapter has', async () => {
    const { facts, gpu } = await testDevice();
    expect(facts.features).toEqual([...gpu.features].sort());
    expect(facts.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(256);
    expect(facts.limits.maxBufferSize).toBeGreaterThan(268_435_456);
    expect(['llvmpipe', 'swiftshader', 'nvidia', 'amd', 'intel', 'apple', 'other']).toContain(facts.kind);
    if (facts.kind === 'llvmpipe' || facts.kind === 'swiftshader') expect(facts.software).toBe(true);
  });

  it('says that there is no WebGPU', async () => {
    await expect(openDevice()).rejects.toMatchObject({ code: 'no-api' });
  });

  it('says that there is no adapter', async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openDevice({ gpu })).rejects.toMatchObject({ code: 'no-adapter' });
  });

  it('says which adapters there are when none has the name', async () => {
    const adapter = { info: { vendor: 'acme', description: 'Acme 3000' }, features: new Set(), limits: {} };
    const gpu = { requestAdapter: async () => adapter } as unknown as GPU;
    await expect(openDevice({ gpu, adapter: 'zed' })).rejects.toThrow(
      'No adapter matches "zed"; there is: Acme 3000.',
    );
    await expect(openDevice({ gpu, software: true })).rejects.toThrow('no software adapter, only: Acme 3000');
  });

  it('refuses the Null backend, which computes nothing', async () => {
    const { create } = await import('webgpu');
    const gpu = create(['backend=null']) as unknown as GPU;
    await expect(openDevice({ gpu })).rejects.toMatchObject({ code: 'null-backend' });
  });

  it('names need and limit when the adapter is too small', async () => {
    await expect(openNodeDevice({ limits: { maxBufferSize: 1e15 } })).rejects.toThrow(
      /it has maxBufferSize \d+, and 1000000000000000 is needed/,
    );
    await expect(openNodeDevice({ features: ['time-travel'] })).rejects.toThrow(
      /lacks the feature time-travel/,
    );
  });
});

describe('a GPU error', () => {
  it('rejects what is waiting, and all that comes after', async () => {
    const told: GpuError[] = [];
    const device = await openNodeDevice({ onError: (error) => told.push(error) });
    const never = device.guard(new Promise(() => {}));
    makeMistake(device);
    expect(await codeOf(never)).toBe('validation');
    expect(await codeOf(device.failed)).toBe('validation');
    expect(await codeOf(device.guard(Promise.resolve()))).toBe('validation');
    expect(() => device.check()).toThrow(/Invalid use of WebGPU on .*MapRead/);
    expect(told).toEqual([]);
    await device.close();
  });

  it('is told at once when nothing waits, and again by the next wait', async () => {
    const told: GpuError[] = [];
    const device = await openNodeDevice({ onError: (error) => told.push(error) });
    makeMistake(device);
    expect(await codeOf(device.idle())).toBe('validation');
    expect(told.map((error) => error.code)).toEqual(['validation']);
    await device.close();
  });

  it('is thrown by close() if nobody was told before', async () => {
    const device = await openNodeDevice({ onError: () => {} });
    makeMistake(device);
    expect(await codeOf(device.close())).toBe('validation');
  });

  it('inside scoped() names what was made and leaves the device usable', async () => {
    const device = await testDevice();
    const bad = device.scoped('the shader demo', () => device.gpu.createShaderModule({ code: 'fn main( {' }));
    await expect(bad).rejects.toThrow(/Invalid use of WebGPU in the shader demo on .*1:10/s);
    const thrown = device.scoped('nothing', () => {
      throw new RangeError('mine');
    });
    await expect(thrown).rejects.toThrow(RangeError);
    await device.idle();
  });
});

describe('a device that goes away', () => {
  it('rejects with the reason when it is lost', async () => {
    const device = await openNodeDevice({ onError: () => {} });
    const buffer = device.gpu.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
    const mapped = device.guard(buffer.mapAsync(MAP_READ));
    device.gpu.destroy();
    expect(await codeOf(mapped)).toBe('lost');
    expect(await codeOf(device.guard(Promise.resolve()))).toBe('lost');
    await device.close();
  });

  it('names the loss even where a wait fails some time before the loss is reported', async () => {
    const device = await openNodeDevice({ onError: () => {} });
    const waiting = codeOf(device.guard(Promise.reject(new Error('The buffer was unmapped.'))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    device.gpu.destroy();
    expect(await waiting).toBe('lost');
    await device.close();
  });

  it('rejects waits when it is closed, and closes once', async () => {
    const device = await openNodeDevice();
    const never = device.guard(new Promise(() => {}));
    const closing = device.close();
    expect(await codeOf(never)).toBe('closed');
    await closing;
    await device.close();
    expect(device.closed).toBe(true);
    expect(() => device.check()).toThrow(/was closed/);
  });
});

describe('kindOf', () => {
  const info = (text: Partial<AdapterInfo>): AdapterInfo => ({
    vendor: '',
    architecture: '',
    device: '',
    description: '',
    subgroupMinSize: undefined,
    subgroupMaxSize: undefined,
    isFallbackAdapter: false,
    ...text,
  });

  it.each([
    ['llvmpipe', { vendor: 'mesa', description: 'llvmpipe: Mesa 25.0.7' }],
    ['swiftshader', { vendor: 'google', architecture: 'swiftshader' }],
    ['nvidia', { vendor: 'nvidia', architecture: 'hopper' }],
    ['amd', { vendor: 'amd', description: 'AMD Radeon RX 7900' }],
    ['intel', { vendor: 'intel', architecture: 'xe-2lpg' }],
    ['apple', { vendor: 'apple', architecture: 'metal-3' }],
    ['other', {}],
  ])('is %s', (kind, text) => {
    expect(kindOf(info(text))).toBe(kind);
  });
});
