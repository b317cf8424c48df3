/** Facts of devices that plans can be made for without having one, as `shadergrad info --json` gave them there. */
import type { DeviceFacts, DeviceLimits } from '../engine/kernel.js';

/** What every WebGPU device has at least. */
export const least: DeviceLimits = {
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

export const known: Readonly<Record<string, DeviceFacts>> = {
  llvmpipe: {
    vendor: 'mesa',
    architecture: 'software',
    description: 'llvmpipe: Mesa 25.0.7 (LLVM 15.0.6, 256 bits)',
    software: true,
    kind: 'llvmpipe',
    features: [
      'core-features-and-limits',
      'shader-f16',
      'subgroup-size-control',
      'subgroups',
      'timestamp-query',
    ],
    subgroupSize: 8,
    limits: {
      ...least,
      maxBufferSize: 4_294_967_295,
      maxStorageBuffersPerShaderStage: 16,
      maxComputeInvocationsPerWorkgroup: 1024,
      maxComputeWorkgroupStorageSize: 32_768,
      maxComputeWorkgroupSizeX: 1024,
      maxComputeWorkgroupSizeY: 1024,
      maxComputeWorkgroupSizeZ: 1024,
      minStorageBufferOffsetAlignment: 16,
    },
  },
  swiftshader: {
    vendor: 'google',
    architecture: 'swiftshader',
    description: 'SwiftShader driver 5.0.0',
    software: true,
    kind: 'swiftshader',
    features: ['core-features-and-limits', 'subgroup-size-control', 'subgroups', 'timestamp-query'],
    subgroupSize: 4,
    limits: {
      ...least,
      maxBufferSize: 1_073_741_824,
      maxStorageBufferBindingSize: 1_073_741_824,
      maxStorageBuffersPerShaderStage: 12,
      maxComputeWorkgroupStorageSize: 32_768,
    },
  },
  // Not measured: what NVIDIA's driver grants through Dawn by its published limits.
  nvidia: {
    vendor: 'nvidia',
    architecture: '',
    description: 'an NVIDIA GPU with subgroups of 32 and 48 KiB of workgroup memory',
    software: false,
    kind: 'nvidia',
    features: ['core-features-and-limits', 'subgroups', 'timestamp-query'],
    subgroupSize: 32,
    limits: {
      ...least,
      maxBufferSize: 4_294_967_292,
      maxStorageBufferBindingSize: 4_294_967_292,
      maxStorageBuffersPerShaderStage: 16,
      maxComputeInvocationsPerWorkgroup: 1024,
      maxComputeWorkgroupStorageSize: 49_152,
      maxComputeWorkgroupSizeX: 1024,
      maxComputeWorkgroupSizeY: 1024,
    },
  },
  least: {
    vendor: '',
    architecture: '',
    description: 'a GPU with the limits that every WebGPU device has',
    software: false,
    kind: 'other',
    features: ['core-features-and-limits'],
    limits: least,
  },
};
