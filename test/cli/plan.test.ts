import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { knownDevices } from '../../src/cli/knownDevices.js';
import type { planJson } from '../../src/engine/plan/print.js';
import { emptyTable, type TuningTable } from '../../src/engine/tuning/table.js';
import { facts } from '../engine/facts.js';
import { sentenceOf, TINY, useCommand } from './command.js';

const shell = useCommand();
/** No table of this machine's own. */
const env = () => ({ XDG_CACHE_HOME: join(shell.folder, 'cache') });
const plan = (...args: readonly string[]) => shell.run(['plan', ...TINY, ...args], { env: env() });

type Printed = ReturnType<typeof planJson> & {
  readonly program: string;
  readonly ceiling: { readonly from: string } | null;
};

async function json(...args: readonly string[]): Promise<Printed> {
  const { code, out, err } = await plan('--json', ...args);
  expect(code, err).toBe(0);
  return JSON.parse(out) as Printed;
}

function file(name: string, value: unknown): string {
  const path = join(shell.folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

describe('shadergrad plan', () => {
  it('prints every op with its kernel, work, forecast and buffers, then the memory', async () => {
    const { code, out, err } = await plan('--device', 'llvmpipe');
    expect(code, err).toBe(0);
    const made = await json('--device', 'llvmpipe');
    const lines = out.split('\n');
    expect(lines[0]).toBe(
      'a training step of a U-Net of depth 2 with 2 base channels: 2 images of 3 channels at 16x16',
    );
    expect(lines[1]).toMatch(/^device: llvmpipe/);
    expect(lines[2]).toMatch(/^ceiling: [\d.]+ GFLOP\/s .* \(default of llvmpipe: .*measured.*\)$/);
    expect(lines[3]).toMatch(/^kernels: \d+ chosen among several, /);
    const dispatches = made.ops.flatMap((op) => op.dispatches);
    const table = lines.slice(6, 6 + dispatches.length);
    table.forEach((line, i) => {
      expect(line).toMatch(new RegExp(`^${i} +\\w+ \\[`));
      expect(line).toContain((dispatches[i] as (typeof dispatches)[number]).kernel);
      expect(line).toMatch(/ >\d+/);
    });
    expect(out).toMatch(/dispatches, .* GFLOP, .* moved, predicted .* ms\n/);
    expect(out).toMatch(/transient memory .* least possible .* times\)/);
  });

  it.each(knownDevices)('plans for %s without having it, alike each time', async (device) => {
    const made = await json('--device', device);
    expect(await json('--device', device)).toEqual(made);
    expect(made.program).toBe('training step');
    for (const op of made.ops) {
      expect(op.dispatches.length).toBeGreaterThan(0);
      if (op.chosen === null) continue;
      expect(op.candidates.find(({ name }) => name === op.chosen)?.share).toBeGreaterThan(0);
      expect(op.problem).toMatch(new RegExp(`^${op.op} \\S+ [\\dx]+$`));
    }
    expect(new Set(made.ops.map(({ op }) => op))).toContain('conv2dWeightGrad');
    expect(made.ops.every(({ milliseconds }) => (milliseconds === null) === (made.ceiling === null))).toBe(
      true,
    );
    expect(made.memory.transient).toBeGreaterThanOrEqual(made.memory.least);
    const known = new Set(made.buffers.map(({ id }) => id));
    for (const { bindings } of made.ops.flatMap((op) => op.dispatches))
      for (const { buffer } of bindings) expect(known).toContain(buffer);
  });

  it('plans the forward alone, of images of any channels', async () => {
    const made = await json('--device', 'least', '--inference', '--channels', '1', '--batch-size', '1');
    expect(made.program).toBe('inference');
    expect(made.ops.map(({ op }) => op)).not.toContain('conv2dWeightGrad');
    expect(made.ops.find(({ op }) => op === 'conv2d')?.problem).toBe('conv2d 3x3s1p1 1x1x16x16x2');
  });

  it('takes facts that another machine wrote', async () => {
    const there = file('facts.json', { versions: {}, chosen: { ...facts(), kind: 'nvidia' } });
    expect((await json('--device', there)).ceiling?.from).toMatch(/^default of nvidia/);
    const small = file('small.json', { chosen: facts({ maxStorageBufferBindingSize: 256 }) });
    expect(sentenceOf(await plan('--device', small))).toMatch(/needs a binding of .* allows 256/);
    expect(sentenceOf(await plan('--device', file('none.json', {})), 2)).toBe(
      `${join(shell.folder, 'none.json')} holds no facts of a device; write it by shadergrad info --json.`,
    );
    expect(sentenceOf(await plan('--device', 'toaster'), 2)).toMatch(
      /^--device must be one of llvmpipe, .*, not "toaster"\.$/,
    );
  });

  it('forces a kernel for one op or for all, and refuses what is unknown', async () => {
    const chosenOf = ({ ops }: Printed) => ops.filter(({ chosen }) => chosen !== null);
    const all = chosenOf(await json('--device', 'llvmpipe', '--force', 'direct'));
    expect(all.every(({ chosen, why }) => chosen === 'direct' && why === 'forced')).toBe(true);
    const one = chosenOf(await json('--device', 'llvmpipe', '--force', 'conv2dWeightGrad=direct'));
    for (const { op, why } of one) expect(why === 'forced').toBe(op === 'conv2dWeightGrad');
    expect(sentenceOf(await plan('--device', 'llvmpipe', '--force', 'conv2d=warp'))).toMatch(
      /^No kernel can be forced by "conv2d=warp"; there are conv2d=direct\|/,
    );
  });

  it('chooses by the table it is given, shows its times, and names a bad one', async () => {
    const problem = 'conv2d 3x3s1p1 2x3x16x16x2';
    const table: TuningTable = {
      ...emptyTable({ ...facts(), kind: 'llvmpipe' }),
      ceiling: { gflops: 10, gbps: 1, launch: 1 },
      entries: { [problem]: { variant: 'direct', milliseconds: { direct: 3 } } },
    };
    const path = file('table.json', table);
    const made = await json('--device', 'llvmpipe', '--tuning', path);
    expect(made.ceiling).toEqual({ gflops: 10, gbps: 1, launch: 1, from: 'measured by shadergrad tune' });
    expect(made.ops.find((op) => op.problem === problem)).toMatchObject({
      chosen: 'direct',
      why: 'tuned',
      milliseconds: 3,
      measured: true,
    });
    const without = await json('--device', 'llvmpipe', '--no-tuning');
    for (const { why } of without.ops) expect([null, 'expected']).toContain(why);
    const bad = file('bad.json', '{');
    expect(sentenceOf(await plan('--device', 'llvmpipe', '--tuning', bad))).toBe(
      `${bad} is no tuning table: it is not JSON; delete it or make it anew with shadergrad tune.`,
    );
    expect(sentenceOf(await plan('--device', 'llvmpipe', '--tuning', `${bad}x`))).toBe(
      `There is no tuning table ${bad}x.`,
    );
    expect(sentenceOf(await plan('--device', 'least', '--tuning', path), 2)).toMatch(
      /was measured on Acme 3000/,
    );
  });

  it('plans for the adapter at hand when no device is named', async () => {
    const { code, out, err } = await plan();
    expect(code, err).toBe(0);
    expect(out).toMatch(/^device: .* \(\w+\)$/m);
  });
});
