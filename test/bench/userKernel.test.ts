import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Context, LadderOptions } from '../../bench/context.js';
import { evaluateList } from '../../bench/ladder/expression.js';
import { likeOf, type UserKernel } from '../../bench/ladder/userKernel.js';
import type { Row } from '../../bench/report.js';
import { ladder, runLadders } from '../../bench/suites/ladder.js';
import direct from '../../src/shaders/conv2d/forward_direct.wgsl';
import pack from '../../src/shaders/conv2d/weights_pack.wgsl';
import { benchContext } from './support.js';

// The ceiling comes first, and kernels are compiled one after the other: minutes where the machine is busy.
vi.setConfig({ testTimeout: 300_000 });

let context: Context;
beforeAll(async () => {
  context = await benchContext();
});
afterAll(async () => {
  await context.close();
});

const run = (kernel: UserKernel, options: Partial<LadderOptions> = {}): Promise<Row[]> =>
  runLadders(context, { ops: ['conv2d'], layer: 'down.0.conv1', variants: ['direct'], kernel, ...options });
const mine = (code: string, like?: string): UserKernel => ({ name: 'mine.wgsl', code, like });
const errorOf = (rows: readonly Row[]): Row | undefined =>
  rows.find(({ what, variant }) => variant === 'mine.wgsl' && what.endsWith(': error'));

describe('a kernel from a file', () => {
  it('is checked and timed beside the ladder, and its final WGSL printed', async () => {
    const printed: string[] = [];
    const rows = await run(mine(`// like: direct\n${direct.code}`), { print: (text) => printed.push(text) });
    const times = rows.filter(({ unit }) => unit === 'ms');
    expect(times.map(({ variant }) => variant)).toEqual(['direct', 'mine.wgsl']);
    for (const { value } of times) expect(value).toBeGreaterThan(0);
    expect(errorOf(rows)?.value).toBeLessThan(1e-6);
    expect(errorOf(rows)?.note).toBeUndefined();
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^\/\/ tiny conv2d, down\.0\.conv1 .*128 x 1 x 1 workgroups\n/);
    expect(printed[0]).toContain('const K: u32 = 4u;');
    expect(printed[0]).toContain('fn epilogue(');
    expect(printed[0]).toContain('// like: direct');
  });

  it('is told how wrong it is, and where first', async () => {
    // The rightmost tap is forgotten.
    const code = direct.code.replace('s < KW + zero', 's + 1u < KW + zero');
    expect(code).not.toBe(direct.code);
    const rows = await run(mine(code, 'direct'));
    const row = errorOf(rows);
    expect(row?.value).toBeGreaterThan(0.1);
    expect(row?.note).toMatch(
      /^WRONG: error 0\.\d+ where 0\.0001 is allowed; \d+ of 8192 elements are off, /,
    );
    expect(row?.note).toMatch(/the first at \[0, 0, 0, 0\] \(element 0\): \S+ where \S+ is right/);
    expect(ladder.text?.(rows)).toMatch(/mine\.wgsl: WRONG: error/);
    expect(rows.filter(({ note, variant }) => variant === 'direct' && note)).toEqual([]);
  });

  it('that leaves elements unwritten is wrong there', async () => {
    const code = direct.code.replace(
      'if (i >= N * K * OH * OW) {',
      'if (i >= N * K * OH * OW || i == 5000u) {',
    );
    const note = errorOf(await run(mine(code, 'direct')))?.note;
    expect(note).toMatch(
      /; 1 of 8192 elements are off, the first at \[1, 0, 28, 8\] \(element 5000\): 0 where/,
    );
  });

  it('that does not compile is shown with its own line, column and source', async () => {
    const lines = direct.code.split('\n');
    const at = lines.findIndex((line) => line.includes('var sum = 0.0;'));
    lines[at] = '  var sum = 0.0 + nothing;';
    const message = await run(mine(lines.join('\n'), 'direct')).catch((error: Error) => error.message);
    const [where, source, caret] = (message as string).split('\n');
    expect(where).toBe(`mine.wgsl:${at + 1}:19: error: unresolved value 'nothing'`);
    expect(source).toBe(`${String(at + 1).padStart(5)} |   var sum = 0.0 + nothing;`);
    expect(caret?.indexOf('^')).toBe(source?.indexOf('nothing'));
  });

  it('keeps its line numbers below a directive', async () => {
    const code = `// like: direct\ndiagnostic(off,\n  derivative_uniformity);\nconst a = b;\n${direct.code}`;
    await expect(run(mine(code))).rejects.toThrow("mine.wgsl:4:11: error: unresolved value 'b'");
  });

  it('may have another dispatch and a tolerance of its own', async () => {
    const code = direct.code
      .replace('@workgroup_size(64)', '@workgroup_size(SIZE)')
      .replace('let i = id.x + id.y * GRID_WIDTH;', 'let i = id.x;');
    const own = `// like: direct\n// dispatch: ceil(N * K * OH * OW / SIZE)\nconst SIZE = 32u;\n${code}`;
    expect(errorOf(await run(mine(own)))?.note).toBeUndefined();
    const few = own.replace('/ SIZE)', '/ SIZE / 2)');
    expect(errorOf(await run(mine(few)))?.note).toMatch(
      /4096 of 8192 elements are off, the first at \[1, 0, 0, 0\]/,
    );
    expect(errorOf(await run(mine(`// tolerance: 2\n${few}`)))?.note).toBeUndefined();
    await expect(run(mine(own.replace('/ SIZE)', '/ WIDTH)')))).rejects.toThrow(
      /^mine\.wgsl: the dispatch cannot be read: there is no constant WIDTH \(there are N, C, /,
    );
    await expect(run(mine(own.replace('ceil(', '(0.5 + ')))).rejects.toThrow(
      /whole numbers from 1; .* gives 256\.5 here/,
    );
  });

  it('may take the place of any file, by its name', async () => {
    const rows = await run(mine(pack.code, 'conv2d/weights_pack'), { variants: [] });
    expect(rows.map(({ variant }) => variant)).toContain('mine.wgsl');
    expect(errorOf(rows)?.value).toBeLessThan(1e-4);
    await expect(run(mine(direct.code, 'conv2d/winner'))).rejects.toThrow(
      'mine.wgsl is like conv2d/winner, but no dispatch here runs it; there are conv2d/forward_direct, ',
    );
  });

  it('must say whose place it takes', () => {
    const variants = ['direct', 'block'];
    expect(likeOf({ name: 'direct.wgsl', code: '' }, variants)).toEqual({ variant: 'direct' });
    expect(likeOf({ name: 'forward_block.wgsl', code: '' }, variants)).toEqual({ variant: 'block' });
    expect(likeOf({ name: 'block.wgsl', code: '// like: direct' }, variants)).toEqual({ variant: 'direct' });
    expect(likeOf({ name: 'a.wgsl', code: '// like: direct', like: 'block' }, variants)).toEqual({
      variant: 'block',
    });
    expect(likeOf({ name: 'a.wgsl', code: '' }, ['plan'])).toEqual({ variant: 'plan' });
    expect(() => likeOf({ name: 'a.wgsl', code: '' }, variants)).toThrow(
      'a.wgsl does not say whose place it takes: give --like NAME, or write a line "// like: NAME"; there are direct, block.',
    );
    expect(() => likeOf({ name: 'a.wgsl', code: '// like: best' }, variants)).toThrow(
      'there is no such variant',
    );
  });
});

it('the dispatch is arithmetic on constants', () => {
  expect(evaluateList('ceil(N*K / 64), (2 + 3) * 4 - 1, max(7 % 4, 1)', { N: 3, K: 50 })).toEqual([3, 19, 3]);
  expect(() => evaluateList('ceil(N', { N: 1 })).toThrow(') is missing at the end in "ceil(N"');
  expect(() => evaluateList('1, ', {})).toThrow('an operand is missing at the end');
  expect(() => evaluateList('1 2', {})).toThrow('"2" is not expected');
});

describe('the command line', () => {
  const root = path.join(import.meta.dirname, '../..');
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'shadergrad-bench-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('runs again at each save, and goes on after a mistake', async () => {
    const file = path.join(folder, 'direct.wgsl');
    await writeFile(file, direct.code.replace('s < KW + zero', 's + 1u < KW + zero'));
    const args = ['scripts/bench.mjs', 'ladder', 'conv2d', '--kernel', file, '--watch', '--cases', 'tiny'];
    const child = spawn(
      process.execPath,
      [...args, '--layer', 'down.0.conv1', '--variants', 'direct', '--runs', '1'],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    try {
      let out = '';
      let seen = 0;
      child.stdout.on('data', (data) => {
        out += String(data);
      });
      child.stderr.on('data', (data) => {
        out += String(data);
      });
      const run = async (): Promise<string> => {
        for (;;) {
          const end = out.indexOf('to be saved; Ctrl+C ends.', seen);
          if (end >= 0) {
            const text = out.slice(seen, end);
            seen = end + 1;
            return text;
          }
          if (child.exitCode !== null) throw new Error(`the bench ended: ${out}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      expect(await run()).toMatch(/direct\.wgsl: WRONG: /);
      await writeFile(file, direct.code.replace('var sum = 0.0;', 'var sum = ;'));
      expect(await run()).toMatch(/direct\.wgsl:\d+:13: error: /);
      await writeFile(file, direct.code);
      const last = await run();
      expect(last).not.toContain('WRONG');
      expect(last).toMatch(/direct\.wgsl: time \S+ ms, \S+ before the save/);
    } finally {
      child.kill();
    }
    expect(await readFile(file, 'utf8')).toBe(direct.code);
  });

  it.each([
    [['--kernel', 'none.wgsl'], '--kernel goes with one ladder alone'],
    [['ladder', 'conv2d', '--watch'], '--like and --watch are about the file of --kernel'],
    [['ladder', 'conv2d', '--kernel', 'none.wgsl'], '--kernel: none.wgsl cannot be read: ENOENT'],
    [['ladder', 'conv3d'], 'There is no ladder "conv3d"; there are conv2d, '],
  ])('%j is refused with a sentence', async (args, message) => {
    const child = spawn(process.execPath, ['scripts/bench.mjs', ...args], { cwd: root });
    let text = '';
    child.stderr.on('data', (data) => {
      text += String(data);
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(text).toContain(message);
    expect(status).toBe(2);
  });
});
