import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { plural } from '../../src/cli/plural.js';
import { parseTable, type TuningTable } from '../../src/engine/tuning/table.js';
import { makeData, sentenceOf, useCommand } from './command.js';

const shell = useCommand();
// Compiling kernels takes most of it, on the CPU.
vi.setConfig({ testTimeout: 600_000 });
/** As few kernels as there can be. */
const LEAST = ['--depth', '1', '--base-channels', '1', '--size', '16', '--batch-size', '1'];

/** Runs with a folder of caches of the file's own, in which there is no table yet. */
function begin() {
  const cache = join(shell.folder, 'cache');
  const folder = join(cache, 'shadergrad', 'tuning');
  const options = { env: { XDG_CACHE_HOME: cache } };
  rmSync(folder, { recursive: true, force: true });
  return {
    folder,
    run: (...args: readonly string[]) => shell.run(args, options),
    start: (...args: readonly string[]) => shell.start(args, options),
    table: (): [path: string, table: TuningTable] => {
      const [file = '', ...others] = readdirSync(folder);
      expect(others).toEqual([]);
      const path = join(folder, file);
      return [path, parseTable(readFileSync(path, 'utf8'), path)];
    },
  };
}

describe('shadergrad tune', () => {
  it('writes a table that later runs choose by, unless told not to', async () => {
    const here = begin();
    const tuned = await here.run('tune', ...LEAST, '--inference');
    expect(tuned.code, tuned.err).toBe(0);
    const [path, table] = here.table();
    expect(Object.keys(table.entries).length).toBeGreaterThanOrEqual(2);
    expect(tuned.out).toMatch(/^1\/\d+ {2}\w+ \S+ [\dx]+: \w+ [\d.e+-]+ ms/m);
    expect(tuned.out).toContain(`${Object.keys(table.entries).length} problems measured; wrote ${path}\n`);

    const planned = await here.run('plan', ...LEAST);
    expect(planned.out).toMatch(/^ceiling: .*\(measured by shadergrad tune\)$/m);
    expect(planned.out).toMatch(/^kernels: \d+ chosen among several, \d+ by the tuning table/m);
    expect((await here.run('plan', ...LEAST, '--no-tuning')).out).not.toContain('by the tuning table');

    const data = await makeData(join(shell.folder, 'data'), { size: 16, slices: 2 });
    const train = ['train', '--data', data, '--epochs', '1', ...LEAST];
    const run = (name: string, ...more: string[]) =>
      here.run(...train, '--out', join(shell.folder, name), ...more);
    expect((await run('run-tuned')).out).toMatch(/^kernels: .* by the tuning table/m);
    const stopped = await run('run-plain', '--no-tuning', '--epochs', '2', '--stop-after', '1');
    const plainly = /^kernels: [^,]*, \d+ by the share they expect$/m;
    expect(stopped.out).toMatch(plainly);
    // What was begun without a table goes on without one.
    const resumed = await here.run('train', '--resume', join(shell.folder, 'run-plain'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.out).toMatch(plainly);

    // A bad table is named, and nothing is written.
    writeFileSync(path, 'tuned');
    const bad = `${path} is no tuning table: it is not JSON; delete it or make it anew with shadergrad tune.`;
    expect(sentenceOf(await run('run-bad'))).toBe(bad);
    expect(sentenceOf(await here.run('tune', ...LEAST))).toBe(bad);
    expect(readdirSync(shell.folder)).not.toContain('run-bad');
    expect(readFileSync(path, 'utf8')).toBe('tuned');
    expect((await here.run('info')).code).toBe(0);
  });

  it('speaks JSON, and writes where it is told', async () => {
    const out = join(shell.folder, 'mine.json');
    const here = begin();
    const { code, out: text, err } = await here.run('tune', ...LEAST, '--inference', '--json', '--out', out);
    expect(code, err).toBe(0);
    const lines = text.trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const done = records.pop();
    expect(done).toMatchObject({ kind: 'done', measured: records.length, left: 0, path: out });
    const table = parseTable(readFileSync(out, 'utf8'), out);
    expect(records.map(({ problem }) => problem).sort()).toEqual(Object.keys(table.entries));
    expect(existsSync(here.folder)).toBe(false);
    const planned = await here.run('plan', ...LEAST, '--inference', '--batch-size', '1', '--tuning', out);
    expect(planned.out).toMatch(/^kernels: .* by the tuning table/m);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('keeps what was measured at %s', async (signal) => {
    const here = begin();
    const running = here.start('tune', ...LEAST, '--budget', '600');
    await new Promise<void>((resolve) =>
      running.child.stdout?.on('data', (data: Buffer) => data.toString().includes('1/') && resolve()),
    );
    running.child.kill(signal);
    const { code, out, err } = await running.ended;
    expect(code, err).toBe(0);
    expect(out).toMatch(/stopping; what was measured is kept\n/);
    const [path, table] = here.table();
    const count = Object.keys(table.entries).length;
    expect(count).toBeGreaterThan(0);
    expect(out).toContain(`${plural(count, 'problem')} measured, `);
    expect(out).toContain(`left: run it again to go on; wrote ${path}\n`);
  });

  it('says where a table cannot lie, and refuses a wrong budget', async () => {
    const here = begin();
    mkdirSync(dirname(here.folder), { recursive: true });
    writeFileSync(here.folder, '');
    const args = ['tune', ...LEAST, '--inference', '--budget', '1'];
    expect(sentenceOf(await here.run(...args))).toMatch(/^Could not read the tuning table .*tuning/);
    const unwritable = await here.run(...args, '--out', join(here.folder, 'table.json'));
    expect(sentenceOf(unwritable)).toMatch(/^Could not (read|make) .*tuning/);
    if (process.platform === 'linux') {
      // Before anything is measured.
      const nowhere = await here.run(...args, '--out', '/proc/none/table.json');
      expect(sentenceOf(nowhere)).toMatch(
        /^Could not make the folder \/proc\/none: .*; give another folder\.$/,
      );
      expect(nowhere.out).toBe('');
    }
    expect(sentenceOf(await here.run('tune', '--budget', '-1'), 2)).toBe(
      '--budget must be a number of at least 0, not "-1".',
    );
  });
});
