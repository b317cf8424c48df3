import { Stopwatch as PlainStopwatch } from '../src/engine/tuning/stopwatch.js';
import { type Sample, summarize } from './timing.js';

export { encode, type LoneKernel as BenchKernel, makeKernel } from '../src/engine/tuning/loneKernel.js';

/** Times passes on one device, several times over. */
export class Stopwatch extends PlainStopwatch {
  async repeat(runs: number, record: (pass: GPUComputePassEncoder) => void): Promise<Sample> {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) times.push(await this.once(record));
    return summarize(times);
  }
}
