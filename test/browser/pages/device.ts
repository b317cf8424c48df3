import { GpuError, openDevice } from '../../../src/index.js';

/** What the test calls from outside. */
const api = {
  async open(): Promise<{ name: string; kind: string; software: boolean; features: readonly string[] }> {
    const device = await openDevice();
    const { name, facts } = device;
    await device.idle();
    await device.close();
    return { name, kind: facts.kind, software: facts.software, features: facts.features };
  },

  /** How a wrong shader, a mistake in the use of WebGPU and a loss are told. */
  async failures(): Promise<readonly string[]> {
    const codes: string[] = [];
    const note = (error: unknown): void =>
      void codes.push(error instanceof GpuError ? error.code : String(error));
    const device = await openDevice({ onError: () => {} });
    await device.scoped('a shader', () => device.gpu.createShaderModule({ code: 'fn main( {' })).catch(note);
    await device.idle();
    device.gpu.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
    await device.idle().catch(note);
    await device.close();
    const other = await openDevice({ onError: () => {} });
    const never = other.guard(new Promise(() => {}));
    other.gpu.destroy();
    await never.catch(note);
    await other.close();
    return codes;
  },
};

export type DeviceApi = typeof api;
Object.assign(globalThis, { api });
