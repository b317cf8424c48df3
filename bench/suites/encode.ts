import { known } from '../../src/cli/deviceFacts.js';
import type { Device } from '../../src/engine/device.js';
import type { DeviceFacts } from '../../src/engine/kernel.js';
import type { CaseName, Context, Suite } from '../context.js';
import { CASES } from '../context.js';
import { Shadergrad } from '../peers/shadergrad.js';
import type { Row } from '../report.js';
import { summarize } from '../timing.js';

/** Encodings of a step that are timed: one takes a millisecond, and the first few are slower. */
const ENCODINGS = 60;

/** What a step costs the CPU before the GPU has any work. */
export const encode: Suite = {
  name: 'encode',
  about:
    'CPU time to encode a training step: the plan for this device and, where that runs on the CPU, the one for a GPU',
  async run(context) {
    const rows: Row[] = [];
    for (const name of context.options.cases) {
      rows.push(await timeEncoding(context, name));
      if (!context.device.facts.software) continue;
      try {
        rows.push(await timeEncoding(context, name, known.nvidia));
      } catch (error) {
        context.log(`${name}: the plan for a GPU is no plan for this device: ${(error as Error).message}`);
      }
    }
    return rows;
  },
};

/** @param facts the device to plan for, of which the kernels are made and never run */
async function timeEncoding(context: Context, name: CaseName, facts?: DeviceFacts): Promise<Row> {
  context.log(`${name}: encoding a training step${facts ? `, planned for ${facts.kind}` : ''} ...`);
  const device = facts ? planningFor(await context.openDevice(), facts) : context.device;
  const ours = new Shadergrad(device, context.options.precision);
  try {
    await ours.setup(context.config(CASES[name]));
    const program = await ours.trainProgram();
    const times: number[] = [];
    for (let i = 0; i < ENCODINGS; i++) {
      const encoder = device.gpu.createCommandEncoder();
      const start = performance.now();
      const pass = encoder.beginComputePass();
      program.encode(pass);
      pass.end();
      encoder.finish();
      times.push(performance.now() - start);
    }
    const { median, low, high, runs } = summarize(times);
    const whose = facts ? `plan for ${facts.kind}` : 'plan for this device';
    const what = `encoding a step, ${whose}, ${program.plan.steps.length} dispatches`;
    return { suite: 'encode', case: name, what, value: median, low, high, runs, unit: 'ms' };
  } finally {
    await ours.dispose();
  }
}

/** The device as plans for another of its limits see it. */
function planningFor(device: Device, facts: DeviceFacts): Device {
  return Object.defineProperty(device, 'facts', { value: { ...facts, limits: device.facts.limits } });
}
