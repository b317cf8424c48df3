/** The `shadergrad` command. */
import process from 'node:process';
import { EXIT, run, sentenceOf } from './program.js';

// A reader that closes early, as `| head` does, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});

// Nothing may end in a stack that no one asked for.
process.on('uncaughtException', (error) => {
  process.stderr.write(`shadergrad: ${sentenceOf(error)}\n`);
  if (process.argv.includes('--debug')) process.stderr.write(`${error.stack}\n`);
  process.exit(EXIT.failed);
});

process.exitCode = await run(process.argv.slice(2), process);
