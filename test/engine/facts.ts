import type { DeviceFacts, DeviceLimits } from '../../src/engine/kernel.js';

/** The limits every WebGPU device has at least. */
export const leastLimits: DeviceLimits = {
  maxBufferSize: 268_435_456,
  maxStorageBufferBindingSize: 134_217_728,
  maxUniformBufferBindingSize: 65_536,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65_535,
  minStorageBufferOffsetAlignment: 256,
};

/** Facts of a GPU that there need not be, for plans. */
export function facts(limits: Partial<DeviceLimits> = {}): DeviceFacts {
  return {
    vendor: 'acme',
    architecture: '',
    description: 'Acme 3000',
    software: false,
    kind: 'other',
    features: [],
    limits: { ...leastLimits, ...limits },
  };
}
