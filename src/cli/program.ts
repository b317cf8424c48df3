/** The command line: commands, their help, and every way a run of it can end. */
import { Command, CommanderError } from 'commander';
import { defineBench, runBench } from './commands/bench.js';
import { type DemoOptions, defineDemo, runDemo } from './commands/demo.js';
import { defineEvaluate, type EvaluateOptions, runEvaluate } from './commands/evaluate.js';
import { defineInfo, type InfoOptions, runInfo } from './commands/info.js';
import { definePlan, type PlanCommandOptions, runPlan } from './commands/plan.js';
import { definePredict, type PredictOptions, runPredict } from './commands/predict.js';
import { definePrepare, type PrepareOptions, runPrepare } from './commands/prepare.js';
import { definePreview, type PreviewOptions, runPreview } from './commands/preview.js';
import { defineReport, type ReportOptions, runReport } from './commands/report.js';
import { defineTrain, runTrain, type TrainOptions } from './commands/train.js';
import { defineTune, runTune, type TuneCommandOptions } from './commands/tune.js';
import { refuseEmptyAndTwice } from './given.js';
import { Stopped } from './interrupt.js';
import { type Io, UsageError } from './io.js';
import { VERSION } from './version.js';

/** What each command does with its options. */
export interface Actions {
  info(options: InfoOptions, io: Io): Promise<void>;
  prepare(options: PrepareOptions, io: Io): Promise<void>;
  train(options: TrainOptions, io: Io): Promise<void>;
  evaluate(options: EvaluateOptions, io: Io): Promise<void>;
  predict(options: PredictOptions, io: Io): Promise<void>;
  preview(options: PreviewOptions, io: Io): Promise<void>;
  demo(options: DemoOptions, io: Io): Promise<void>;
  plan(options: PlanCommandOptions, io: Io): Promise<void>;
  tune(options: TuneCommandOptions, io: Io): Promise<void>;
  report(options: ReportOptions, io: Io): Promise<void>;
  bench(args: readonly string[], io: Io): Promise<void>;
}

const ACTIONS: Actions = {
  info: runInfo,
  prepare: runPrepare,
  train: runTrain,
  evaluate: runEvaluate,
  predict: runPredict,
  preview: runPreview,
  demo: runDemo,
  plan: runPlan,
  tune: runTune,
  report: runReport,
  bench: runBench,
};

/** Exit codes: 0 done, 1 something went wrong, 2 the command line is wrong, 130 ended by a signal. */
export const EXIT = { done: 0, failed: 1, usage: 2, stopped: 130 } as const;

/**
 * Runs one command line. Never throws: what goes wrong becomes one sentence on `io.stderr` (the stack with `--debug`).
 * @param args what follows the program's name
 * @param actions what the commands do; another set serves tests
 * @returns the exit code
 */
export async function run(args: readonly string[], io: Io, actions: Actions = ACTIONS): Promise<number> {
  const program = build(io, actions);
  try {
    if (args.length === 0) {
      io.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const usage = error instanceof CommanderError || error instanceof UsageError;
    const name = program.commands.find((command) => command.name() === args[0])?.name();
    const sentence = error instanceof CommanderError ? usageSentence(error, name) : sentenceOf(error);
    io.stderr.write(`shadergrad: ${sentence}\n`);
    if (args.includes('--debug') && error instanceof Error && !usage) io.stderr.write(`${stackOf(error)}\n`);
    if (error instanceof Stopped) return EXIT.stopped;
    return usage ? EXIT.usage : EXIT.failed;
  }
}

/** Any error as one line. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

function build(io: Io, actions: Actions): Command {
  const program = new Command('shadergrad')
    .description('Train and run a U-Net for brain MRI on WebGPU, with kernels written by hand in WGSL.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      // Usage errors are put in a sentence of our own.
      outputError: () => undefined,
    });
  defineInfo(program, (options) => actions.info(options, io));
  definePrepare(program, (options) => actions.prepare(options, io));
  defineTrain(program, (options) => actions.train(options, io));
  defineEvaluate(program, (options) => actions.evaluate(options, io));
  definePredict(program, (options) => actions.predict(options, io));
  definePreview(program, (options) => actions.preview(options, io));
  defineDemo(program, (options) => actions.demo(options, io));
  definePlan(program, (options) => actions.plan(options, io));
  defineTune(program, (options) => actions.tune(options, io));
  defineReport(program, (options) => actions.report(options, io));
  for (const command of program.commands) refuseEmptyAndTwice(command);
  // It has a parser of its own.
  defineBench(program, (args) => actions.bench(args, io));
  return program;
}

/** The parser's message as one sentence that ends in what to do. */
function usageSentence(error: CommanderError, command: string | undefined): string {
  const [what = '', hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const meant = /Did you mean (.*)\?\)$/.exec(hint)?.[1];
  const help = `see shadergrad ${command === undefined ? '' : `${command} `}--help`;
  const sentence = what.replace(/\.$/, '');
  return `${sentence}; ${meant === undefined ? help : `did you mean ${meant}?`}`;
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}
