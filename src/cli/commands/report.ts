import type { Command } from 'commander';
import { type CommonOptions, commonFlags, examples } from '../flags.js';
import type { Io } from '../io.js';

/** `shadergrad report`: writes a run's report.html again from what the run saved. */
export interface ReportOptions extends CommonOptions {
  readonly run: string;
  /** The HTML file; `report.html` in the run's folder when left out. */
  readonly out?: string;
}

export function defineReport(program: Command, action: (options: ReportOptions) => Promise<void>): void {
  const command = program
    .command('report')
    .description("write a run's report again from what the run saved")
    .argument('<run>', 'the run folder')
    .option('--out <file>', 'write here instead of report.html in the run folder');
  commonFlags(command).action((run: string, options: Omit<ReportOptions, 'run'>) =>
    action({ ...options, run }),
  );
  examples(command, [['report runs/post', 'write runs/post/report.html']]);
}

/** @throws FileError when the run cannot be read or the report not be written */
export async function runReport(options: ReportOptions, io: Io): Promise<void> {
  const { writeReport } = await import('../report/write.js');
  const path = await writeReport(options.run, options.out);
  io.stdout.write(`Wrote ${path}\n`);
}
