import type { Device } from '../device.js';
import { fail } from '../errors.js';
import { getOrMake } from '../getOrMake.js';
import type { Access } from '../kernel.js';
import type { PlanStep } from '../plan/types.js';
import { moduleText } from './wgsl.js';

export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const compiled = new WeakMap<Device, Map<string, Promise<Compiled>>>();

const bufferTypes: Record<Access, GPUBufferBindingType> = {
  read: 'read-only-storage',
  write: 'storage',
  read_write: 'storage',
  uniform: 'uniform',
};

/** Stage bit of compute shaders; Node has no global GPUShaderStage. */
const COMPUTE = 4;

/** The pipeline of a step. Equal modules with equal bindings are compiled once a device. */
export function pipelineFor(device: Device, step: PlanStep): Promise<Compiled> {
  const code = moduleText(step.constants, step.pieces, step.shader);
  const accesses = step.bindings.map(({ at, access }) => `${at}:${bufferTypes[access]}`).join();
  const key = `${accesses}\n${code}`;
  const cache = getOrMake(compiled, device, () => new Map<string, Promise<Compiled>>());
  return getOrMake(cache, key, () => build(device, step, code));
}

async function build(device: Device, step: PlanStep, code: string): Promise<Compiled> {
  const { gpu } = device;
  const label = step.shader.name;
  const layout = gpu.createBindGroupLayout({
    label,
    entries: step.bindings.map(({ at, access }) => ({
      binding: at,
      visibility: COMPUTE,
      buffer: { type: bufferTypes[access] },
    })),
  });
  // The scope keeps a wrong shader from failing the whole device; the scopes of parallel builds nest in call order.
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label, code });
  const moduleError = gpu.popErrorScope();
  const info = await device.guard(module.getCompilationInfo());
  const wrong = info.messages.find((message) => message.type === 'error');
  if (wrong) fail(shaderMessage(label, code, wrong));
  const error = await device.guard(moduleError);
  if (error) fail(`${label}: ${error.message}`);
  const pipelineLayout = gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] });
  try {
    const pipeline = await device.guard(
      gpu.createComputePipelineAsync({
        label,
        layout: pipelineLayout,
        compute: { module, entryPoint: 'main' },
      }),
    );
    return { pipeline, layout };
  } catch (cause) {
    device.check();
    fail(
      `${label} (${step.label}, ${step.variant}) does not compile: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

/** Line, column and the source around them, since the file as written has other line numbers. */
function shaderMessage(name: string, code: string, message: GPUCompilationMessage): string {
  const lines = code.split('\n');
  const at = message.lineNum;
  const around = lines.slice(Math.max(0, at - 4), at + 3).map((line, i) => {
    const number = Math.max(1, at - 3) + i;
    return `${number === at ? '>' : ' '} ${String(number).padStart(4)} ${line}`;
  });
  return `${name}: line ${at}, column ${message.linePos}: ${message.message}\n${around.join('\n')}`;
}
