/** The `shadergrad` command as people run it: built once for a test file, each call a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect } from 'vitest';
import { wgslForEsbuild } from '../../scripts/wgsl.mjs';
import { writeTree } from '../../src/data/node/writeTree.js';
import { syntheticFiles } from '../../src/data/synthetic.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** How a process ended, and what it said. Dawn's own remarks on an adapter's limits are left out of `err`. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Waits until `path` is there; fails where the process ends before. */
  until(path: string): Promise<void>;
}

export interface Shell {
  /** A folder for the file's tests, removed after them. */
  readonly folder: string;
  start(args: readonly string[], options?: StartOptions): Running;
  run(args: readonly string[], options?: StartOptions): Promise<Ended>;
}

interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Closes standard output before anything is read. */
  readonly closeEarly?: boolean;
}

/** Registers building and cleaning for the test file that calls it. */
export function useCommand(): Shell {
  let folder = '';
  let program = '';
  const running = new Set<ChildProcess>();
  beforeAll(async () => {
    // Within the project, so that packages are found.
    const cache = join(root, 'node_modules/.cache/shadergrad');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'test-'));
    program = join(folder, 'program', 'cli.mjs');
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/main.ts'],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      packages: 'external',
      plugins: [wgslForEsbuild()],
      logLevel: 'silent',
    });
  });
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const start = (args: readonly string[], { env = {}, cwd = root, closeEarly }: StartOptions = {}) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const told = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (told.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (told.err += data.toString()));
    if (closeEarly) child.stdout.destroy();
    const ended = new Promise<Ended>((resolve) =>
      child.on('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal, out: told.out, err: told.err.replace(DRIVER_NOISE, '') });
      }),
    );
    const until = async (path: string) => {
      while (!existsSync(path)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`The process ended without ${path}:\n${told.out}${told.err}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    return { child, ended, until };
  };
  return {
    get folder() {
      return folder;
    },
    start,
    run: (args, options) => start(args, options).ended,
  };
}

/** What Dawn and Vulkan's loader write on stderr by themselves. */
const DRIVER_NOISE = /^Warning: (max|loader_get_json|vkCreateInstance).*\n(?: {4}at .*\n)*\n?/gm;

/** The one sentence of a run that failed: exactly one line on stderr. */
export function sentenceOf({ code, err, out }: Ended, expected = 1): string {
  expect(code, `${out}${err}`).toBe(expected);
  expect(err).toMatch(/^shadergrad: [^\n]+\n$/);
  expect(err).toMatch(/[.?]\n$|; see shadergrad .*--help\n$/);
  return err.slice('shadergrad: '.length, -1);
}

/** All files below a folder with what is in them. */
export function filesOf(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    names
      .filter((item) => item.isFile())
      .map((item) => join(item.parentPath, item.name))
      .sort()
      .map((path) => [relative(folder, path), readFileSync(path, 'base64')]),
  );
}

/** Writes a small synthetic data set; gives the folder of the tree. */
export async function makeData(
  folder: string,
  { patients = 3, slices = 12, size = 32, seed = 1 } = {},
): Promise<string> {
  await writeTree(folder, syntheticFiles({ patients, slices, size, seed }));
  return join(folder, 'kaggle_3m');
}

/** The smallest training that has every part of a real one. */
export const TINY = ['--depth', '2', '--base-channels', '2', '--size', '16', '--batch-size', '2'];

/** A record of metrics.jsonl without what depends on the clock. */
export function metricsOf(run: string): unknown[] {
  return readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { seconds, imagesPerSecond, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    });
}
