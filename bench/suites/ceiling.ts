import type { Device } from '../../src/engine/device.js';
import type { Shader } from '../../src/engine/kernel.js';
import { grid1d } from '../../src/engine/kernels/grid.js';
import { bufferUsage, mapRead } from '../../src/engine/program/usage.js';
import copyVec4 from '../../src/shaders/ceiling/copy_vec4.wgsl';
import empty from '../../src/shaders/ceiling/empty.wgsl';
import fmaScalar from '../../src/shaders/ceiling/fma_scalar.wgsl';
import fmaVec4 from '../../src/shaders/ceiling/fma_vec4.wgsl';
import type { Context, Suite } from '../context.js';
import { type BenchKernel, encode, makeKernel, Stopwatch } from '../kernel.js';
import type { Row } from '../report.js';
import copyScalar from '../shaders/copy_scalar.wgsl';
import fmaFew from '../shaders/fma_few.wgsl';
import { milliseconds, type Sample, summarize } from '../timing.js';

/** The three figures that bound every kernel on a device. */
export interface Ceiling {
  /** Multiply-adds count two. */
  readonly gflops: number;
  /** Bytes read plus bytes written by a copy. */
  readonly gbps: number;
  /** Microseconds a dispatch that depends on the one before costs beyond its work. */
  readonly launch: number;
}

interface Measured {
  readonly row: Row;
  readonly value: number;
}

const STORAGE = bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST;

export const ceiling: Suite = {
  name: 'ceiling',
  about: 'multiply-add rate, copy bandwidth and launch cost of this adapter, measured in WGSL',
  async run(context) {
    return (await measureCeiling(context)).rows;
  },
};

const measured = new WeakMap<Device, Promise<{ ceiling: Ceiling; rows: Row[] }>>();

/** Measured once a device: other suites divide by it. */
export function measureCeiling(context: Context): Promise<{ ceiling: Ceiling; rows: Row[] }> {
  const { device } = context;
  let result = measured.get(device);
  if (!result) {
    result = measure(device, Math.max(3, context.options.runs));
    measured.set(device, result);
  }
  return result;
}

async function measure(device: Device, runs: number): Promise<{ ceiling: Ceiling; rows: Row[] }> {
  const watch = new Stopwatch(device);
  const how = watch.usesTimestamps ? 'timestamp queries' : 'wall clock';
  try {
    const rates = await multiplyAdd(device, watch, runs);
    const copies = await copy(device, watch, runs);
    const launches = await launch(device, watch, runs);
    // A ceiling is what the device did once, undisturbed: the best run of the best kernel.
    const best = (list: readonly Measured[]): number => Math.max(...list.map(({ row }) => row.high ?? 0));
    const gflops = best(rates);
    const gbps = best(copies.kernels);
    const total = (what: string, value: number, unit: string): Row => ({
      suite: 'ceiling',
      case: 'best',
      what,
      value,
      unit,
      note: `timed by ${how}`,
    });
    const rows = [
      ...[...rates, ...copies.kernels, ...(copies.driver ? [copies.driver] : []), ...launches.rows].map(
        ({ row }) => row,
      ),
      total('multiply-add', gflops, 'GFLOP/s'),
      total('copy, read + write', gbps, 'GB/s'),
    ];
    return { ceiling: { gflops, gbps, launch: launches.dependent }, rows };
  } finally {
    watch.destroy();
  }
}

function rateRow(name: string, what: string, unit: string, work: number, sample: Sample): Measured {
  // Work per millisecond, in units of a thousand million per second.
  const rate = (ms: number): number => work / ms / 1e6;
  const value = rate(sample.median);
  const row: Row = {
    suite: 'ceiling',
    case: name,
    what,
    value,
    unit,
    low: rate(sample.high),
    high: rate(sample.low),
    runs: sample.runs,
  };
  return { row, value };
}

async function multiplyAdd(device: Device, watch: Stopwatch, runs: number): Promise<Measured[]> {
  const { software } = device.facts;
  const workgroup = 64;
  const invocations = software ? 2 ** 13 : 2 ** 20;
  const target = software ? 150 : 5;
  // FLOPs of one invocation in one round: four times all chains.
  const forms: readonly (readonly [string, Shader, number])[] = [
    ['scalar, 8 chains', fmaFew, 4 * 8 * 2],
    ['scalar, 16 chains', fmaScalar, 4 * 16 * 2],
    ['vec4, 8 chains', fmaVec4, 4 * 8 * 8],
  ];
  const { gpu } = device;
  const setup = gpu.createBuffer({ size: 16, usage: STORAGE });
  const sums = gpu.createBuffer({ size: invocations * 4, usage: STORAGE });
  const write = (rounds: number): void => {
    const words = new ArrayBuffer(16);
    new Float32Array(words).set([0.999, 0.0005]);
    new Uint32Array(words)[2] = rounds;
    gpu.queue.writeBuffer(setup, 0, words);
  };
  const results: Measured[] = [];
  try {
    for (const [name, shader, flops] of forms) {
      for (const fused of [false, true]) {
        const constants = { WORKGROUP: workgroup, FUSED: fused };
        const kernel = await makeKernel(
          device,
          shader,
          constants,
          [setup, sums],
          [invocations / workgroup, 1, 1],
        );
        let rounds = 16;
        for (;;) {
          write(rounds);
          const ms = await watch.once((pass) => encode(pass, kernel));
          if (ms >= target / 2 || rounds >= 2 ** 22) break;
          rounds = Math.min(2 ** 22, Math.ceil(rounds * Math.min(64, target / Math.max(ms, target / 64))));
        }
        const sample = await watch.repeat(runs, (pass) => encode(pass, kernel));
        await checkSums(device, sums, invocations);
        const form = `${name}${fused ? ', fma()' : ''}`;
        results.push(rateRow(form, 'multiply-add', 'GFLOP/s', invocations * rounds * flops, sample));
      }
    }
  } finally {
    setup.destroy();
    sums.destroy();
  }
  return results;
}

/** A kernel that did not run, or ran only in part, would look fast. */
async function checkSums(device: Device, sums: GPUBuffer, invocations: number): Promise<void> {
  const values = new Float32Array(await mapRead(device, sums, invocations * 4));
  const wrong = values.findIndex((value) => !(value > 0.1 && value < 100));
  if (wrong >= 0)
    throw new Error(`The multiply-add kernel gave ${values[wrong]} at ${wrong}: it did not run as written.`);
}

async function copy(
  device: Device,
  watch: Stopwatch,
  runs: number,
): Promise<{ kernels: Measured[]; driver: Measured | undefined }> {
  const { gpu, facts } = device;
  // Larger than any cache, smaller than what a binding may be.
  const wanted = facts.software ? 2 ** 26 : 2 ** 29;
  const bytes = Math.min(wanted, facts.limits.maxStorageBufferBindingSize, facts.limits.maxBufferSize) & ~255;
  const source = gpu.createBuffer({ size: bytes, usage: STORAGE });
  const target = gpu.createBuffer({ size: bytes, usage: STORAGE });
  const probe = Float32Array.from({ length: 1024 }, (_, i) => i + 0.5);
  gpu.queue.writeBuffer(source, bytes - probe.byteLength, probe);
  const workgroup = 256;
  const forms: { name: string; make: () => Promise<BenchKernel> }[] = [];
  const add = (
    name: string,
    shader: Shader,
    invocations: number,
    constants: Record<string, number>,
  ): void => {
    const grid = grid1d(invocations, workgroup);
    const all = { WORKGROUP: workgroup, ...grid.constants, ...constants };
    forms.push({ name, make: () => makeKernel(device, shader, all, [source, target], grid.workgroups) });
  };
  add('f32', copyScalar, bytes / 4, { COUNT: bytes / 4 });
  for (const each of [1, 4, 16]) {
    add(`vec4 x ${each}`, copyVec4, Math.ceil(bytes / 16 / each), { COUNT: bytes / 16, EACH: each });
  }
  const results: Measured[] = [];
  let own: Measured | undefined;
  try {
    for (const { name, make } of forms) {
      const kernel = await make();
      await watch.once((pass) => encode(pass, kernel));
      const sample = await watch.repeat(runs, (pass) => encode(pass, kernel));
      await checkCopy(device, target, bytes, probe);
      results.push(rateRow(name, 'copy, read + write', 'GB/s', 2 * bytes, sample));
    }
    // The driver's own copy, for comparison: no kernel, so no part of the ceiling.
    const times: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, bytes);
      const commands = encoder.finish();
      await device.idle();
      const time = await milliseconds(async () => {
        gpu.queue.submit([commands]);
        await device.idle();
      });
      if (run > 0) times.push(time);
    }
    own = rateRow('copyBufferToBuffer', 'copy, read + write', 'GB/s', 2 * bytes, summarize(times));
  } finally {
    source.destroy();
    target.destroy();
  }
  return { kernels: results, driver: own };
}

async function checkCopy(
  device: Device,
  target: GPUBuffer,
  bytes: number,
  probe: Float32Array,
): Promise<void> {
  const tail = device.gpu.createBuffer({ size: probe.byteLength, usage: STORAGE });
  const encoder = device.gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(target, bytes - probe.byteLength, tail, 0, probe.byteLength);
  encoder.clearBuffer(target);
  device.gpu.queue.submit([encoder.finish()]);
  const got = new Float32Array(await mapRead(device, tail, probe.byteLength));
  tail.destroy();
  if (got.some((value, i) => value !== probe[i])) throw new Error('The copy kernel did not copy to the end.');
}

async function launch(
  device: Device,
  watch: Stopwatch,
  runs: number,
): Promise<{ rows: Measured[]; dependent: number }> {
  const { gpu } = device;
  const dispatches = 2000;
  const counter = gpu.createBuffer({ size: 4, usage: STORAGE });
  const others = Array.from({ length: 8 }, () => gpu.createBuffer({ size: 4, usage: STORAGE }));
  try {
    const dependent = await makeKernel(device, empty, {}, [counter], [1, 1, 1]);
    const apart = await Promise.all(
      others.map((buffer) => makeKernel(device, empty, {}, [buffer], [1, 1, 1])),
    );
    const chain = (pass: GPUComputePassEncoder): void => {
      for (let i = 0; i < dispatches; i++) encode(pass, dependent);
    };
    const free = (pass: GPUComputePassEncoder): void => {
      for (let i = 0; i < dispatches; i++) encode(pass, apart[i % apart.length] as BenchKernel);
    };
    await watch.once(chain);
    const chained = await watch.repeat(runs, chain);
    await watch.once(free);
    const unchained = await watch.repeat(runs, free);
    const total = new Uint32Array(await mapRead(device, counter, 4))[0];
    if (total !== dispatches * (runs + 1))
      throw new Error(`Of ${dispatches * (runs + 1)} dispatches only ${total} ran.`);

    const encodings: number[] = [];
    for (let run = 0; run < runs; run++) {
      encodings.push(
        await milliseconds(async () => {
          const encoder = gpu.createCommandEncoder();
          const pass = encoder.beginComputePass();
          chain(pass);
          pass.end();
          encoder.finish();
        }),
      );
    }
    const micro = (ms: number): number => (ms * 1000) / dispatches;
    const row = (name: string, what: string, sample: Sample): Measured => ({
      value: micro(sample.median),
      row: {
        suite: 'ceiling',
        case: name,
        what,
        value: micro(sample.median),
        unit: 'us',
        low: micro(sample.low),
        high: micro(sample.high),
        runs: sample.runs,
      },
    });
    return {
      rows: [
        row('each after the last', 'empty dispatch, on the GPU', chained),
        row('eight buffers in turn', 'empty dispatch, on the GPU', unchained),
        row('one pass', 'encoding a dispatch, on the CPU', summarize(encodings)),
      ],
      dependent: micro(chained.median),
    };
  } finally {
    for (const buffer of [counter, ...others]) buffer.destroy();
  }
}
