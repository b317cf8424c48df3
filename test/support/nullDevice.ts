import { create } from 'webgpu';

/** Dawn crashes where its entry point is collected before what was made from it. */
const held: object[] = [];
let opened: Promise<GPUDevice> | undefined;

async function open(): Promise<GPUDevice> {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']) as GPU;
  const adapter = (await gpu.requestAdapter()) as GPUAdapter;
  held.push(gpu, adapter);
  const requiredFeatures = ['chromium-experimental-subgroup-matrix', 'subgroups', 'shader-f16'] as const;
  return adapter.requestDevice({ requiredFeatures: [...requiredFeatures] as GPUFeatureName[] });
}

/**
 * Dawn's backend that computes nothing: it has the features that kernels ask for, whatever the machine, and compiles them as
 * far as WGSL goes. Opened once a test file.
 */
export function nullDevice(): Promise<GPUDevice> {
  opened ??= open();
  return opened;
}

/** What Tint says of a module there, by line; nothing where all is well. */
export async function complaints(code: string): Promise<string[]> {
  const device = await nullDevice();
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  return messages.map(({ type, message, lineNum }) => `${type} in line ${lineNum}: ${message}`);
}
