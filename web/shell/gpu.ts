import { type AdapterInfo, openDevice } from '../../src/engine/device.js';
import type { DeviceFacts } from '../../src/engine/kernel.js';
import { type Failure, failureOf } from '../rpc/failure.js';

/** What the page knows of the GPU. Workers open devices of their own. */
export type GpuState =
  | { readonly is: 'opening' }
  | {
      readonly is: 'ready';
      readonly name: string;
      readonly facts: DeviceFacts;
      readonly info: AdapterInfo;
      readonly milliseconds: number;
    }
  | { readonly is: 'failed'; readonly failure: Failure };

/** Opens a device, to know that it can be done and what it offers, and closes it again. */
export class GpuProbe {
  state: GpuState = { is: 'opening' };
  private readonly listeners: ((state: GpuState) => void)[] = [];

  /** Told of the state now and of each later one. */
  watch(listener: (state: GpuState) => void): void {
    this.listeners.push(listener);
    listener(this.state);
  }

  async open(): Promise<void> {
    this.set({ is: 'opening' });
    const begin = performance.now();
    try {
      const device = await openDevice({ onError: () => {} });
      const { name, facts, info } = device;
      const milliseconds = performance.now() - begin;
      await device.close();
      this.set({ is: 'ready', name, facts, info, milliseconds });
    } catch (error) {
      this.set({ is: 'failed', failure: failureOf(error) });
    }
  }

  private set(state: GpuState): void {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }
}
