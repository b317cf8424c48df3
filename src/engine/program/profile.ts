import { type HostArray, hostView, type Program, Value } from './program.js';
import { bufferUsage, MAP_READ_MODE, mapRead } from './usage.js';

/** Time of one dispatch. */
export interface StepTime {
  readonly label: string;
  readonly kernel: string;
  readonly variant: string;
  /** From the start of the first kernel, in milliseconds. */
  readonly start: number;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

/** Start and end in milliseconds, from the first start. */
type Span = [number, number];

/**
 * Runs a program once with a pass for each kernel and returns their times by timestamp queries: slower as a whole than
 * `run`, and a step like any other to what the program changes. Where the adapter has no timestamps, each kernel is
 * submitted and waited for alone, and times include that.
 */
export async function profile<I extends string, O extends string>(
  program: Program<I, O>,
  inputs: Readonly<Record<I, HostArray>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<StepTime[]> {
  program.prepare(inputs, scalars);
  const { features } = program.device.facts;
  const times = await (features.includes('timestamp-query') ? timestamps : wallClock)(program as Program);
  return program.plan.steps.map(({ label, shader, variant, flops, bytes }, i) => {
    const [start, end] = times[i] as Span;
    return { label, kernel: shader.name, variant, flops, bytes, start, milliseconds: end - start };
  });
}

/** As {@link profile}, with all outputs too: the same values, to the bit, as those of `run`. */
export async function runProfiled<I extends string, O extends string>(
  program: Program<I, O>,
  inputs: Readonly<Record<I, HostArray>>,
  scalars: Readonly<Record<string, number>> = {},
): Promise<{ readonly steps: StepTime[]; readonly values: Record<O, Value> }> {
  const steps = await profile(program, inputs, scalars);
  const entries = await Promise.all(
    program.plan.outputs.map(async ({ name, shape, dtype, buffer, byteOffset, bytes }) => {
      const data = await mapRead(program.device, program.bufferAt(buffer), bytes, byteOffset);
      return [name, new Value(shape, hostView(dtype, data, shape))] as const;
    }),
  );
  return { steps, values: Object.fromEntries(entries) as Record<O, Value> };
}

async function timestamps(program: Program): Promise<Span[]> {
  const { device, plan } = program;
  const { gpu } = device;
  const count = plan.steps.length * 2;
  const times: Span[] = [];
  // A query set holds at most 4096 queries.
  const querySet = gpu.createQuerySet({ type: 'timestamp', count: Math.min(4096, count) });
  const resolve = gpu.createBuffer({
    size: querySet.count * 8,
    usage: bufferUsage.QUERY_RESOLVE | bufferUsage.COPY_SRC,
  });
  const staging = gpu.createBuffer({
    size: querySet.count * 8,
    usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
  });
  try {
    for (let from = 0; from < plan.steps.length; from += querySet.count / 2) {
      const to = Math.min(plan.steps.length, from + querySet.count / 2);
      const encoder = gpu.createCommandEncoder();
      for (let i = from; i < to; i++) {
        const at = (i - from) * 2;
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
        });
        program.encode(pass, [i]);
        pass.end();
      }
      encoder.resolveQuerySet(querySet, 0, (to - from) * 2, resolve, 0);
      encoder.copyBufferToBuffer(resolve, 0, staging, 0, (to - from) * 16);
      gpu.queue.submit([encoder.finish()]);
      await device.guard(staging.mapAsync(MAP_READ_MODE));
      const ticks = new BigUint64Array(staging.getMappedRange(0, (to - from) * 16).slice(0));
      staging.unmap();
      for (let i = 0; i < to - from; i++) {
        times.push([Number(ticks[2 * i] as bigint) / 1e6, Number(ticks[2 * i + 1] as bigint) / 1e6]);
      }
    }
  } finally {
    querySet.destroy();
    resolve.destroy();
    staging.destroy();
  }
  const zero = times[0]?.[0] ?? 0;
  return times.map(([start, end]) => [start - zero, end - zero]);
}

async function wallClock(program: Program): Promise<Span[]> {
  const { device, plan } = program;
  const { gpu } = device;
  const times: Span[] = [];
  await device.idle();
  const zero = performance.now();
  for (let i = 0; i < plan.steps.length; i++) {
    const start = performance.now() - zero;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    program.encode(pass, [i]);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await device.idle();
    times.push([start, performance.now() - zero]);
  }
  return times;
}
