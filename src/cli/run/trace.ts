import { dirname } from 'node:path';
import type { Device } from '../../engine/device.js';
import { chromeTrace } from '../../engine/program/chromeTrace.js';
import { runProfiled, type StepTime } from '../../engine/program/profile.js';
import type { TrainerOptions } from '../../unet/train.js';
import { atomicWrite, ensureFolder } from '../files.js';
import { plural } from '../plural.js';
import { VERSION } from '../version.js';

/** What `--trace` writes: one step's kernels on a timeline, as a trace that Perfetto and chrome://tracing open. */
export class StepTrace {
  private writing: Promise<string> | undefined;

  private constructor(
    private readonly path: string,
    private readonly device: Device,
  ) {}

  /** @throws FileError where the file's folder cannot be: it is told of before the training, not after. */
  static async open(path: string, device: Device): Promise<StepTrace> {
    await ensureFolder(dirname(path));
    return new StepTrace(path, device);
  }

  /** For the trainer: runs the step and writes its kernels, meanwhile or after, to the file. */
  readonly profiled: NonNullable<TrainerOptions['profiled']> = async (program, inputs, scalars) => {
    const { steps, values } = await runProfiled(program, inputs, scalars);
    this.write(steps, scalars.step + 1);
    return values;
  };

  private write(kernels: readonly StepTime[], step: number): void {
    const exact = this.device.facts.features.includes('timestamp-query');
    const trace = chromeTrace(`shadergrad, training step ${step} on ${this.device.name}`, kernels, {
      program: `shadergrad ${VERSION}`,
      adapter: this.device.name,
      step: String(step),
      'timed by': exact
        ? 'timestamp queries, a pass for each kernel'
        : 'the clock, each kernel submitted and waited for alone: this adapter has no timestamp queries',
    });
    this.writing = atomicWrite(this.path, `${JSON.stringify(trace)}\n`).then(
      () => `wrote ${this.path}: the ${plural(kernels.length, 'kernel')} of step ${step}`,
      // A training is worth more than its trace.
      (error: Error) => `warning: the trace was not written: ${error.message}`,
    );
  }

  /** What became of it, in words. */
  async finish(): Promise<string> {
    return this.writing ?? 'no trace was written: the run ended before the step that is traced';
  }
}
