import { least } from '../../src/cli/deviceFacts.js';
import type { DeviceFacts, DeviceLimits } from '../../src/engine/kernel.js';

/** Facts of a GPU that there need not be, for plans. */
export function facts(limits: Partial<DeviceLimits> = {}): DeviceFacts {
  return {
    vendor: 'acme',
    architecture: '',
    description: 'Acme 3000',
    software: false,
    kind: 'other',
    features: [],
    limits: { ...least, ...limits },
  };
}
