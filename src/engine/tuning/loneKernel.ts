/** A kernel run by itself, outside of any plan: for measuring what bounds a device. */
import type { Device } from '../device.js';
import type { Constants, Shader } from '../kernel.js';
import { moduleText } from '../program/wgsl.js';

/** A compiled kernel with its buffers, ready to run. */
export interface LoneKernel {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** Compiles `shader` with buffers at bindings 0, 1, ... */
export async function makeKernel(
  device: Device,
  shader: Shader,
  constants: Constants,
  buffers: readonly GPUBuffer[],
  workgroups: readonly [number, number, number],
): Promise<LoneKernel> {
  const { gpu } = device;
  const module = gpu.createShaderModule({ label: shader.name, code: moduleText(constants, [], shader) });
  const pipeline = await device.guard(
    gpu.createComputePipelineAsync({
      label: shader.name,
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    }),
  );
  const bindGroup = gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return { pipeline, bindGroup, workgroups };
}

export function encode(pass: GPUComputePassEncoder, { pipeline, bindGroup, workgroups }: LoneKernel): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...(workgroups as [number, number, number]));
}
