import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Environment } from './records.js';
import { VERSION } from './version.js';

/** What this process runs on, for config.json. */
export async function environment(adapter: Environment['adapter']): Promise<Environment> {
  return {
    shadergrad: VERSION,
    commit: await commit(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    adapter,
  };
}

/** The commit of the checkout this code lies in; null where it lies in none of its own or git is not there. */
export async function commit(): Promise<string | null> {
  const run = promisify(execFile);
  const cwd = dirname(fileURLToPath(import.meta.url));
  try {
    const top = (await run('git', ['rev-parse', '--show-toplevel'], { cwd })).stdout.trim();
    // As a dependency this lies within another project's checkout, whose commit says nothing.
    const owner = JSON.parse(await readFile(join(top, 'package.json'), 'utf8')) as { name?: unknown };
    if (owner.name !== 'shadergrad') return null;
    const { stdout } = await run('git', ['describe', '--always', '--abbrev=40', '--dirty', '--exclude=*'], {
      cwd,
    });
    return stdout.trim();
  } catch {
    return null;
  }
}
