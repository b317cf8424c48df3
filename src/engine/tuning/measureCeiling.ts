import copy from '../../shaders/ceiling/copy_vec4.wgsl';
import empty from '../../shaders/ceiling/empty.wgsl';
import scalar from '../../shaders/ceiling/fma_scalar.wgsl';
import vec4 from '../../shaders/ceiling/fma_vec4.wgsl';
import type { Device } from '../device.js';
import type { Shader } from '../kernel.js';
import { grid1d } from '../kernels/grid.js';
import { bufferUsage } from '../program/usage.js';
import { encode, makeKernel } from './loneKernel.js';
import type { Stopwatch } from './stopwatch.js';
import type { Ceiling } from './table.js';

const STORAGE = bufferUsage.STORAGE | bufferUsage.COPY_DST;
const RUNS = 3;

/** What bounds kernels on a device, in about a second: the best of a few runs of kernels that do one thing only. */
export async function measureCeiling(device: Device, watch: Stopwatch): Promise<Ceiling> {
  const gflops = Math.max(
    // FLOPs of one invocation in one round: four times all chains.
    await multiplyAdds(device, watch, scalar, 4 * 16 * 2),
    await multiplyAdds(device, watch, vec4, 4 * 8 * 8),
  );
  const gbps = Math.max(await copied(device, watch, 1), await copied(device, watch, 4));
  return { gflops: figure(gflops), gbps: figure(gbps), launch: figure(await launched(device, watch)) };
}

/** Three digits: a ceiling is not known any better. */
function figure(value: number): number {
  return Number(value.toPrecision(3));
}

async function best(watch: Stopwatch, record: (pass: GPUComputePassEncoder) => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= RUNS; run++) {
    const time = await watch.once(record);
    if (run > 0) least = Math.min(least, time);
  }
  // A clock may be too coarse for what it measures.
  return Math.max(least, 1e-4);
}

async function multiplyAdds(
  device: Device,
  watch: Stopwatch,
  shader: Shader,
  flops: number,
): Promise<number> {
  const { gpu, facts } = device;
  const workgroup = 64;
  const invocations = facts.software ? 2 ** 13 : 2 ** 20;
  const target = facts.software ? 40 : 5;
  const setup = gpu.createBuffer({ size: 16, usage: STORAGE });
  const sums = gpu.createBuffer({ size: invocations * 4, usage: STORAGE });
  try {
    const constants = { WORKGROUP: workgroup, FUSED: false };
    const groups = [invocations / workgroup, 1, 1] as const;
    const kernel = await makeKernel(device, shader, constants, [setup, sums], groups);
    let rounds = 16;
    const run = async (measure: (record: (pass: GPUComputePassEncoder) => void) => Promise<number>) => {
      const words = new ArrayBuffer(16);
      new Float32Array(words).set([0.999, 0.0005]);
      new Uint32Array(words)[2] = rounds;
      gpu.queue.writeBuffer(setup, 0, words);
      return measure((pass) => encode(pass, kernel));
    };
    for (;;) {
      const time = await run((record) => watch.once(record));
      if (time >= target / 2 || rounds >= 2 ** 22) break;
      rounds = Math.min(2 ** 22, Math.ceil(rounds * Math.min(64, target / Math.max(time, target / 64))));
    }
    return (invocations * rounds * flops) / (await run((record) => best(watch, record))) / 1e6;
  } finally {
    setup.destroy();
    sums.destroy();
  }
}

async function copied(device: Device, watch: Stopwatch, each: number): Promise<number> {
  const { gpu, facts } = device;
  // Larger than any cache, smaller than what a binding may be.
  const wanted = facts.software ? 2 ** 25 : 2 ** 28;
  const bytes = Math.min(wanted, facts.limits.maxStorageBufferBindingSize, facts.limits.maxBufferSize) & ~255;
  const [source, target] = [0, 1].map(() => gpu.createBuffer({ size: bytes, usage: STORAGE })) as [
    GPUBuffer,
    GPUBuffer,
  ];
  try {
    const workgroup = 256;
    const grid = grid1d(Math.ceil(bytes / 16 / each), workgroup);
    const constants = { WORKGROUP: workgroup, ...grid.constants, COUNT: bytes / 16, EACH: each };
    const kernel = await makeKernel(device, copy, constants, [source, target], grid.workgroups);
    return (2 * bytes) / (await best(watch, (pass) => encode(pass, kernel))) / 1e6;
  } finally {
    source.destroy();
    target.destroy();
  }
}

async function launched(device: Device, watch: Stopwatch): Promise<number> {
  const dispatches = 500;
  const counter = device.gpu.createBuffer({ size: 4, usage: STORAGE });
  try {
    const kernel = await makeKernel(device, empty, {}, [counter], [1, 1, 1]);
    const chain = (pass: GPUComputePassEncoder): void => {
      for (let i = 0; i < dispatches; i++) encode(pass, kernel);
    };
    return ((await best(watch, chain)) * 1000) / dispatches;
  } finally {
    counter.destroy();
  }
}
