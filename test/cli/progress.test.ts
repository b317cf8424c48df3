import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { compileLine, duration, epochLines, Progress } from '../../src/cli/progress.js';
import { epoch, step } from './records.js';

function screen(options: { json?: boolean; isTTY?: boolean; columns?: number } = {}) {
  let out = '';
  let now = 0;
  const { json = false, ...stream } = options;
  const io = {
    stdout: { write: (text: string) => (out += text), ...stream },
    stderr: { write: () => undefined },
  };
  const progress = new Progress(io, { json, totalSteps: 40, epochs: 2, stepsPerEpoch: 20, now: () => now });
  return {
    progress,
    tick(ms: number) {
      now += ms;
    },
    take() {
      const text = out;
      out = '';
      return text;
    },
  };
}

describe('Progress', () => {
  it('keeps one live line on a terminal, with speed and time left from the first finished step on', () => {
    const { progress, tick, take } = screen({ isTTY: true, columns: 100 });
    // Compiling and reading the first slices: no measure of a step.
    tick(60_000);
    progress.step(step(1, 1), 4);
    expect(take()).toBe('\r\x1b[Kepoch 1/2  step 1/20  loss 1.0000');
    tick(10);
    progress.step(step(1, 2), 4);
    expect(take()).toBe('');
    tick(990);
    progress.step(step(1, 3), 4);
    expect(take()).toBe('\r\x1b[Kepoch 1/2  step 3/20  loss 0.3333  8.00 images/s  19 s left');
    progress.note('saved');
    expect(take()).toBe('\r\x1b[Ksaved\n');
    progress.finish();
    expect(take()).toBe('');
  });

  it('takes its line away where kernels compile in its midst', () => {
    expect([compileLine(1, 2), compileLine(2, 2)]).toEqual(['\r\x1b[Kcompiling kernels 1/2', '\r\x1b[K']);
  });

  it('never writes a line wider than the terminal', () => {
    const { progress, tick, take } = screen({ isTTY: true, columns: 20 });
    tick(1000);
    progress.step(step(1, 1), 4);
    take();
    tick(1000);
    progress.step(step(1, 2), 4);
    expect(take()).toHaveLength('\r\x1b[K'.length + 19);
  });

  it('writes plain lines now and then in a pipe, and no control characters', () => {
    const { progress, tick, take } = screen();
    for (let i = 1; i <= 40; i++) {
      tick(1000);
      progress.step(step(i <= 20 ? 1 : 2, i), 4);
    }
    const lines = take().trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[3]).toBe('epoch 2/2  step 11/20  loss 0.0323  4.00 images/s  9 s left');
  });

  it('forgets old speed, and counts validations into the time left', () => {
    const { progress, tick } = screen();
    for (let i = 1; i <= 20; i++) {
      tick(10_000);
      progress.step(step(1, i), 4);
    }
    expect(progress.secondsLeft(step(1, 20))).toBe(200);
    progress.phase('validating', 0, 10);
    tick(50_000);
    progress.phase('validating', 10, 10);
    progress.epoch(epoch(1, 20));
    expect(progress.imagesPerSecond()).toBe(0);
    tick(1000);
    progress.step(step(2, 21), 4);
    expect(progress.imagesPerSecond()).toBe(4);
    expect(progress.secondsLeft(step(2, 21))).toBe(19 + 50);
  });

  it('prints JSON lines and nothing else for a machine, on a terminal too', () => {
    const { progress, tick, take } = screen({ json: true, isTTY: true });
    progress.step(step(1, 1), 4);
    tick(20_000);
    progress.step(step(1, 2), 4);
    tick(20_000);
    progress.phase('validating', 1, 2);
    progress.epoch(epoch(1, 20));
    progress.note('saved');
    const lines = take().trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { kind: string });
    expect(parsed.map((line) => line.kind)).toEqual(['step', 'step', 'phase', 'epoch', 'note']);
    expect(parsed[0]).toMatchObject({ imagesPerSecond: null, secondsLeft: null });
    expect(parsed[1]).toMatchObject({ imagesPerSecond: 0.2, secondsLeft: 760 });
    expect(parsed[3]).toEqual(epoch(1, 20));
  });
});

it('writes the epoch as the reference does, and the quality below', () => {
  const record = {
    ...epoch(1, 20),
    train: { loss: 0.304232, bce: 0.148578, dice: 0.667423 },
    valid: { loss: 0.333961, bce: 0.127171, dice: 0.816471 },
  };
  const [first, second] = epochLines({
    ...record,
    quality: { ...record.quality, meanDice: 0.5, medianDice: null },
  });
  expect(first).toBe(
    'Epoch 1 — train: loss 0.304232 bce 0.148578 dice 0.667423 | valid: loss 0.333961 bce 0.127171 dice 0.816471',
  );
  expect(second).toBe(
    "  patients' Dice: mean 0.5000 median none | lesion slices 0.1500 | false-positive slices 12/619 | 1 min 05 s, 48.3 images/s | best so far",
  );
});

it.each([
  [0.4, '0 s'],
  [59.6, '1 min 00 s'],
  [185, '3 min 05 s'],
  [7620, '2 h 07 min'],
  [Number.POSITIVE_INFINITY, '?'],
])('writes %d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

it('watchInterrupt lets a process finish on the first signal and ends it on the second', async () => {
  const source = new URL('../../src/cli/interrupt.ts', import.meta.url);
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [source.pathname],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const code = `${outputFiles[0]?.text}
    const watch = watchInterrupt(() => console.log('stopping'));
    const timer = setInterval(() => { if (watch.signal !== null && process.argv[1] === 'polite') { clearInterval(timer); watch.dispose(); console.log('saved'); } }, 5);
    console.log('ready');`;
  const end = (manner: string, signals: number) =>
    new Promise<{ code: number | null; out: string }>((resolve) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code, manner]);
      let out = '';
      child.stdout.on('data', (data: Buffer) => {
        out += data.toString();
        const seen = out.split('\n').length - 1;
        if (seen <= signals) child.kill('SIGINT');
      });
      child.on('exit', (exit) => resolve({ code: exit, out }));
    });
  expect(await end('polite', 1)).toEqual({ code: 0, out: 'ready\nstopping\nsaved\n' });
  expect((await end('deaf', 2)).code).toBe(130);
});
