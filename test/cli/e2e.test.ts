/** Training from the command line to a whole run folder, and every way it can be stopped and gone on with. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decode as decodePng } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EpochRecord, RunConfig, RunSummary } from '../../src/cli/records.js';
import { runPaths } from '../../src/cli/runFolder.js';
import type { ChromeTrace } from '../../src/engine/program/chromeTrace.js';
import { decodeResume, decodeWeights } from '../../src/unet/checkpoint.js';
import { type Ended, filesOf, makeData, metricsOf, TINY, useCommand } from './command.js';

const MINUTES = 60_000;
const shell = useCommand();
let data = '';
let split = '';
let base = '';
let prepared: Ended;
let trained: Ended;

const place = (name: string) => join(shell.folder, name);
const settings = () => ['--data', data, '--split', split, ...TINY, '--epochs', '2'];
const json = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

/** That two runs computed the same: weights, figures, pictures. */
function expectSameRun(run: string, other: string): void {
  for (const name of ['last.safetensors', 'best.safetensors', 'resume.safetensors', 'evaluation.png']) {
    expect(readFileSync(join(run, name)).equals(readFileSync(join(other, name))), name).toBe(true);
  }
  expect(metricsOf(run)).toEqual(metricsOf(other));
  expect(json(runPaths(run).summary)).toEqual(json(runPaths(other).summary));
}

beforeAll(async () => {
  data = await makeData(place('data'));
  split = place('split.json');
  base = place('base');
  prepared = await shell.run(['prepare', '--data', data, '--valid', '0.34', '--seed', '3', '--out', split]);
  trained = await shell.run(['train', ...settings(), '--out', base]);
}, 10 * MINUTES);

describe('prepare, train', () => {
  it('ends well and tells the facts and each epoch', () => {
    expect(prepared).toMatchObject({ code: 0, err: '' });
    expect(trained, trained.err).toMatchObject({ code: 0, err: '' });
    for (const line of [
      /: 3 patients, 36 slices, \d+ with a lesion; [\d.]+% of pixels are lesion$/m,
      /^sizes: 32x32 \(36\); mask values: 0, 255$/m,
      /^split file: 2 patients train, 1 validates$/m,
      /^U-Net: depth 2, 2 base channels, .*467 parameters; slices at 16x16$/m,
      /^device: .+; \d+ kernels a step, ready in [\d.]+ s$/m,
      /^memory: .+ for a step, .+ for weights and optimiser/m,
      /^schedule: 2 epochs of 12 steps, batch 2, .*seed 777$/m,
      /^epoch 1\/2 {2}step 1\/12 {2}loss [\d.]+$/m,
      /^Epoch 1 — train: loss [\d.]+ bce [\d.]+ dice [\d.]+ \| valid: loss [\d.]+ bce [\d.]+ dice [\d.]+$/m,
      /^Epoch 2 — train: /m,
      /^ {2}patients' Dice: mean \S+ median \S+ \| lesion slices \S+ \| false-positive slices \d+\/\d+ \| /m,
      /^wrote .*base\/report\.html$/m,
    ]) {
      expect(trained.out).toMatch(line);
    }
  });

  it('leaves a whole run folder', () => {
    const paths = runPaths(base);
    const config = json<RunConfig>(paths.config);
    expect(config).toMatchObject({
      format: 'shadergrad-run',
      parameters: 467,
      stepsPerEpoch: 12,
      training: { epochs: 2, batchSize: 2, size: 16, model: { depth: 2, baseChannels: 2 } },
      data: { path: data, width: 32, height: 32, train: { patients: 2, slices: 24 } },
    });
    expect(config.command).toEqual(['train', ...settings(), '--out', base]);
    const saved = json<{ train: string[]; valid: string[] }>(paths.split);
    const asked = json<{ train: string[]; valid: string[] }>(split);
    expect([saved.train, saved.valid]).toEqual([asked.train, asked.valid]);

    const records = metricsOf(base) as { kind: string; step: number }[];
    expect(records.filter(({ kind }) => kind === 'step')).toHaveLength(24);
    const epochs = records.filter(({ kind }) => kind === 'epoch') as unknown as EpochRecord[];
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 12],
      [2, 24],
    ]);
    expect(epochs[0]?.train.loss).toBeGreaterThan(0);

    for (const which of ['last', 'best'] as const) {
      const weights = decodeWeights(readFileSync(paths[which]), which);
      expect(weights.config).toEqual(config.training.model);
      expect(weights.preparation).toEqual({ size: 16 });
      expect([...weights.state.values()].every(({ data: values }) => values.every(Number.isFinite))).toBe(
        true,
      );
    }
    const { facts } = decodeResume(readFileSync(paths.resume), 'resume');
    expect(facts.progress).toMatchObject({ epoch: 2, batch: 0, step: 24 });

    const summary = json<RunSummary>(paths.summary);
    expect(summary).toMatchObject({ format: 'shadergrad-summary', checkpoint: 'best', patients: 'valid' });
    expect(summary.metrics.cases.map(({ patient }) => patient)).toEqual(saved.valid);
    expect(decodePng(readFileSync(paths.evaluation)).width).toBeGreaterThan(32);
    const overlays = json<{ name: string }[]>(join(paths.overlays, 'index.json'));
    expect(overlays.length).toBeGreaterThan(0);
    for (const { name } of overlays)
      expect(decodePng(readFileSync(join(paths.overlays, name))).width).toBe(64);
    const page = readFileSync(paths.report, 'utf8');
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.trimEnd()).toMatch(/<\/html>$/);
    expect(page).not.toMatch(/(src|href)="https?:/);
    expect([...filesOf(base).keys()].filter((name) => name.includes('.part'))).toEqual([]);
  });

  it(
    'gives the same bits for the same seed, and with --json nothing but JSON on stdout',
    async () => {
      const again = place('again');
      const trace = place('step.json');
      const args = ['train', ...settings(), '--out', again, '--json', '--trace', trace];
      const { code, out, err } = await shell.run(args);
      expect(code, err).toBe(0);
      // The step that was traced is as any other, so that the bits below are the same.
      const { traceEvents, otherData } = json<ChromeTrace>(trace);
      const kernels = traceEvents.filter(({ ph }) => ph === 'X').length;
      expect(err).toContain(`wrote ${trace}: the ${kernels} kernels of step 3`);
      expect(err).toContain(`; ${kernels} kernels a step`);
      expect(otherData.step).toBe('3');
      const lines = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string });
      expect(lines.filter(({ kind }) => kind === 'epoch')).toHaveLength(2);
      expect(lines.some(({ kind }) => kind === 'step')).toBe(true);
      expect(err).toContain('schedule: 2 epochs');
      expectSameRun(again, base);
    },
    10 * MINUTES,
  );

  it(
    'takes the epoch of lowest validation loss where all Dice are 0, resumed or not',
    async () => {
      const never = ['--data', data, '--split', split, ...TINY, '--epochs', '3', '--threshold', '0.999'];
      const whole = place('never-whole');
      expect(await shell.run(['train', ...never, '--out', whole])).toMatchObject({ code: 0, err: '' });
      const epochs = metricsOf(whole).filter((each): each is EpochRecord => 'best' in (each as object));
      expect(epochs.map(({ quality }) => quality.meanDice)).toEqual([0, 0, 0]);
      const losses = epochs.map(({ valid }) => valid.loss);
      const lowest = losses.indexOf(Math.min(...losses)) + 1;
      expect(lowest).toBeGreaterThan(1);
      expect(json<RunSummary>(runPaths(whole).summary).epoch).toBe(lowest);

      const run = place('never-halves');
      await shell.run(['train', ...never, '--out', run, '--stop-after', '1']);
      expect(await shell.run(['train', '--resume', run])).toMatchObject({ code: 0, err: '' });
      expectSameRun(run, whole);
    },
    10 * MINUTES,
  );

  it(
    'warns of losses that rise far above a guess, and says what to do',
    async () => {
      const wild = ['--data', data, '--split', split, ...TINY, '--epochs', '2', '--lr', '1000'];
      const { code, out, err } = await shell.run(['train', ...wild, '--out', place('wild')]);
      expect(code, err).toBe(0);
      expect(out).toMatch(
        /^warning: the training loss (is|rose from) .* epoch \d.*: the training diverged; start a new run with a lower learning rate, such as --lr 100$/m,
      );
      expect(trained.out).not.toMatch(/diverged/);
    },
    10 * MINUTES,
  );

  it(
    'starts nothing over a run that is there',
    async () => {
      const before = filesOf(base);
      const { code, err } = await shell.run(['train', ...settings(), '--out', base]);
      expect(code).toBe(1);
      expect(err).toMatch(/^shadergrad: .*base already holds a run: .*--resume .*--force.*--out\.\n$/);
      const done = await shell.run(['train', '--resume', base]);
      expect(done.code).toBe(1);
      expect(done.err).toMatch(/^shadergrad: .*base is done: all 2 epochs were trained; .*evaluate .*\n$/);
      expect(filesOf(base)).toEqual(before);
    },
    10 * MINUTES,
  );
});

describe('a run that was stopped', () => {
  it(
    'by --stop-after goes on to the same bits; another seed gives others',
    async () => {
      const run = place('halves');
      const first = await shell.run(['train', ...settings(), '--out', run, '--stop-after', '1']);
      expect(first).toMatchObject({ code: 0, err: '' });
      expect(first.out).toContain(
        `stopped after epoch 1 of 2, all saved; go on with: shadergrad train --resume ${run}`,
      );
      const half = place('half.safetensors');
      copyFileSync(runPaths(run).last, half);
      const second = await shell.run(['train', '--resume', run]);
      expect(second).toMatchObject({ code: 0, err: '' });
      expect(second.out).toMatch(/^going on at epoch 2, step 12 of 24$/m);
      expectSameRun(run, base);

      const other = place('other');
      await shell.run(['train', ...settings(), '--out', other, '--stop-after', '1', '--seed', '778']);
      expect(readFileSync(runPaths(other).last).equals(readFileSync(half))).toBe(false);
      expect(metricsOf(other)[0]).not.toEqual(metricsOf(base)[0]);
    },
    15 * MINUTES,
  );

  it(
    'by Ctrl-C in an epoch, then killed again and again, goes on to the same bits',
    async () => {
      const run = place('stopped');
      const paths = runPaths(run);
      const first = shell.start(['train', ...settings(), '--out', run]);
      await first.until(paths.config);
      first.child.kill('SIGINT');
      const interrupted = await first.ended;
      expect(interrupted, interrupted.err).toMatchObject({ code: 0, signal: null, err: '' });
      expect(interrupted.out).toMatch(
        /^stopped at step \d+ of 24, all saved; go on with: shadergrad train --resume .*stopped$/m,
      );
      const { progress } = decodeResume(readFileSync(paths.resume), 'resume').facts;
      expect(progress.epoch).toBe(0);
      expect(progress.batch).toBeGreaterThan(0);
      expect(progress.batch).toBeLessThan(12);

      // Killed while the first epoch is saved: whatever is there must be whole.
      const second = shell.start(['train', '--resume', run]);
      await second.until(paths.last);
      second.child.kill('SIGKILL');
      expect((await second.ended).signal).toBe('SIGKILL');
      decodeWeights(readFileSync(paths.last), 'last');
      decodeResume(readFileSync(paths.resume), 'resume');

      for (const delay of [400, 1500]) {
        const next = shell.start(['train', '--resume', run]);
        await new Promise((resolve) => setTimeout(resolve, delay + Math.random() * delay));
        next.child.kill('SIGKILL');
        await next.ended;
      }
      const last = await shell.run(['train', '--resume', run]);
      if (last.code !== 0) expect(last.err).toContain('is done');
      expectSameRun(run, base);
    },
    20 * MINUTES,
  );

  it(
    'while it is measured keeps the epoch that was trained, and goes on to the same bits',
    async () => {
      const long = ['--data', data, '--valid', '0.67', ...TINY, '--epochs', '1'];
      const whole = place('whole');
      expect(await shell.run(['train', ...long, '--out', whole])).toMatchObject({ code: 0, err: '' });
      const run = place('unvalidated');
      const first = shell.start(['train', ...long, '--out', run]);
      // Its steps are written when the epoch is trained, before it is validated.
      await first.until(runPaths(run).metrics);
      first.child.kill('SIGINT');
      const interrupted = await first.ended;
      expect(interrupted, interrupted.err).toMatchObject({ code: 0, signal: null, err: '' });
      expect(interrupted.out).toMatch(/^stopped while measuring, all saved; go on with: shadergrad train /m);
      expect(existsSync(runPaths(run).last)).toBe(false);
      const second = await shell.run(['train', '--resume', run]);
      expect(second).toMatchObject({ code: 0, err: '' });
      expect(second.out).toMatch(/^going on at epoch 1, step 6 of 6$/m);
      expectSameRun(run, whole);
    },
    10 * MINUTES,
  );

  it(
    'before it had begun begins anew',
    async () => {
      const run = place('early');
      const first = shell.start(['train', ...settings(), '--out', run]);
      await first.until(run);
      first.child.kill('SIGKILL');
      await first.ended;
      const again = existsSync(runPaths(run).config) ? ['--resume', run] : [...settings(), '--out', run];
      const second = await shell.run(['train', ...again, '--stop-after', '1']);
      expect(second, second.err).toMatchObject({ code: 0, err: '' });
      expect(metricsOf(run)).toEqual(metricsOf(base).slice(0, 13));
    },
    10 * MINUTES,
  );

  it.each([
    ['before it was measured', []],
    ['while its report was made', ['summary.json', 'evaluation.png']],
  ])(
    'after its last epoch, %s, is measured',
    async (_, measured) => {
      const run = place('unmeasured');
      mkdirSync(run);
      for (const name of [
        'config.json',
        'split.json',
        'metrics.jsonl',
        'last.safetensors',
        'best.safetensors',
        'resume.safetensors',
        ...measured,
      ])
        copyFileSync(join(base, name), join(run, name));
      const { code, out, err } = await shell.run(['train', '--resume', run]);
      expect(code, err).toBe(0);
      expect(out).toContain('all 2 epochs were trained; what is left is to measure them');
      expectSameRun(run, base);
      expect(existsSync(runPaths(run).report)).toBe(true);
      rmSync(run, { recursive: true });
    },
    10 * MINUTES,
  );
});
