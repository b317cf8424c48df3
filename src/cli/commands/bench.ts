import process from 'node:process';
import type { Command } from 'commander';

/** What dist/bench.js gives: `args` as after `shadergrad bench`; the exit status. */
interface Bench {
  bench(args: readonly string[], command: string): Promise<number>;
}

/** `shadergrad bench`: the bench has its own options and help, so everything after the name is passed on as it is. */
export function defineBench(program: Command, action: (args: readonly string[]) => Promise<void>): void {
  program
    .command('bench')
    .description("measure kernels and whole steps, beside the device's ceiling and other programs")
    .argument('[args...]', 'suites and options: see shadergrad bench --help')
    .allowUnknownOption()
    .helpOption(false)
    .action(action);
}

/** Ends the process itself: other programs in the bench keep timers that nothing here can close. */
export async function runBench(args: readonly string[]): Promise<void> {
  // A file of its own beside the command's, since no other command needs it; not known to the command's bundle.
  const file = new URL('./bench.js', import.meta.url).href;
  const { bench } = (await import(file)) as Bench;
  process.exit(await bench(args, 'shadergrad bench'));
}
