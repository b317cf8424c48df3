import { describe, expect, it } from 'vitest';
import { type Actions, run } from '../../src/cli/program.js';
import { presets } from '../../src/unet/config.js';

/** Runs a command line with commands that only tell what they were given. */
async function shell(...args: string[]) {
  const told: { out: string; err: string; calls: [string, unknown][] } = { out: '', err: '', calls: [] };
  const take = (name: string) => async (options: unknown) => void told.calls.push([name, options]);
  const actions: Actions = {
    info: take('info'),
    prepare: take('prepare'),
    train: take('train'),
    evaluate: take('evaluate'),
    predict: take('predict'),
    preview: take('preview'),
    demo: async () => {
      throw new Error('The device\nwas lost.', { cause: new Error('driver reset') });
    },
    plan: take('plan'),
    tune: take('tune'),
    report: take('report'),
    bench: take('bench'),
  };
  const code = await run(
    args,
    {
      stdout: { write: (text) => (told.out += text) },
      stderr: { write: (text) => (told.err += text) },
    },
    actions,
  );
  return { ...told, code };
}

const COMMANDS = [
  'info',
  'prepare',
  'train',
  'evaluate',
  'predict',
  'preview',
  'demo',
  'plan',
  'tune',
  'report',
];

it('bench gets its words as they are: it has options and help of its own', async () => {
  const words = ['ladder', 'conv2d', '--kernel', 'a.wgsl', '--watch', '--json', 'b.json', '--help'];
  const { calls, code } = await shell('bench', ...words);
  expect(code).toBe(0);
  expect(calls).toEqual([['bench', words]]);
});

describe('help', () => {
  it.each(COMMANDS)('%s --help explains and gives an example', async (command) => {
    const { out, err, code, calls } = await shell(command, '--help');
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(calls).toEqual([]);
    expect(out).toContain(`Usage: shadergrad ${command}`);
    expect(out).toContain(`$ shadergrad ${command}`);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('tells where the demo leaves its report, and the usual threshold', async () => {
    expect((await shell('demo', '--help')).out).toContain('demo/run/report.html');
    for (const [command, usual] of [
      ['train', '0.5'],
      ['predict', "the run's, else 0.5"],
      ['evaluate', "the run's"],
    ] as const)
      expect((await shell(command, '--help')).out.replace(/\s+/g, ' ')).toContain(
        `above which a pixel is lesion (default: ${usual})`,
      );
  });

  it.each(Object.entries(presets))('of train shows what preset %s sets', async (name, preset) => {
    const { out } = await shell('train', '--help');
    const lines = out.slice(out.indexOf('\nPresets')).split('\n').slice(2);
    const column = (lines[0] as string).indexOf(name);
    expect(column).toBeGreaterThan(0);
    const told = (setting: string) => {
      const line = lines.find((each) => each.startsWith(`  ${setting} `)) ?? '';
      expect(line.slice(column - 2, column), setting).toBe('  ');
      return line.slice(column).split('  ')[0];
    };
    const { epochs, batchSize, lr, size, model, diceWeight, optimizer, augmentation } = preset;
    for (const [setting, value] of [
      ['--epochs', epochs],
      ['--batch-size', batchSize],
      ['--lr', lr],
      ['--size', size],
      ['--depth', model.depth],
      ['--base-channels', model.baseChannels],
      ['--dropout', model.dropout],
      ['--dice-weight', diceWeight],
      ['--split', name === 'post' ? 'post' : 'ratio'],
      ['optimiser', optimizer],
      ['rotation', `${augmentation.angle[0]}° to ${augmentation.angle[1]}°`],
    ] as const)
      expect(told(setting), setting).toBe(`${value}`);
  });

  it('lists every command, and gives the version', async () => {
    const { out, code } = await shell('--help');
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect((await shell('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('shows the help and fails when no command is given', async () => {
    const { err, code } = await shell();
    expect(code).toBe(2);
    expect(err).toContain('Usage: shadergrad');
  });
});

describe('options', () => {
  it('hands train its options with their types, and nothing that was not told', async () => {
    const { calls, code } = await shell(
      ...['train', '--data', 'a.zip', '--epochs', '3', '--batch-size=2', '--lr', '1e-2', '--seed', '0'],
      ...[
        '--preset',
        'post',
        '--split',
        'buda',
        '--dice-weight',
        '0.3',
        '--no-software',
        '--json',
        '--force',
      ],
    );
    expect(code).toBe(0);
    expect(calls).toEqual([
      [
        'train',
        {
          data: 'a.zip',
          epochs: 3,
          batchSize: 2,
          lr: 0.01,
          seed: 0,
          preset: 'post',
          split: 'buda',
          diceWeight: 0.3,
          software: false,
          json: true,
          force: true,
        },
      ],
    ]);
    expect((await shell('train', '--resume', 'runs/a', '--data', 'moved.zip')).calls).toEqual([
      ['train', { resume: 'runs/a', data: 'moved.zip' }],
    ]);
  });

  it('hands over positional arguments and defaults', async () => {
    expect((await shell('predict', 'a.tif', 'b', '--model', 'm', '--out', 'o')).calls).toEqual([
      ['predict', { inputs: ['a.tif', 'b'], model: 'm', out: 'o' }],
    ]);
    expect(
      (await shell('plan', '--force', 'direct', '--force', 'conv2d=block', '--no-tuning')).calls,
    ).toEqual([['plan', { force: ['direct', 'conv2d=block'], tuning: false }]]);
    expect((await shell('evaluate', 'runs/a', '--software')).calls).toEqual([
      ['evaluate', { run: 'runs/a', software: true }],
    ]);
    expect((await shell('preview', '--data', 'd', '--sheet')).calls).toEqual([
      [
        'preview',
        {
          data: 'd',
          item: 1,
          out: 'preview.png',
          sheet: true,
          scale: 0.2,
          rotation: 90,
          flip: 0.5,
          seed: 777,
        },
      ],
    ]);
  });

  it('of numbers and choices the last counts', async () => {
    const { calls } = await shell('evaluate', 'r', '--threshold', '.2', '--threshold=.4');
    expect(calls).toEqual([['evaluate', { run: 'r', threshold: 0.4 }]]);
  });

  it.each([
    [['train', '--data', 'x', '--epochs', '-1'], '--epochs must be a whole number of at least 1, not "-1".'],
    [
      ['train', '--data', 'x', '--epochs', '2.5'],
      '--epochs must be a whole number of at least 1, not "2.5".',
    ],
    [['train', '--data', 'x', '--lr', 'abc'], '--lr must be a number greater than 0, not "abc".'],
    [['train', '--data', 'x', '--lr='], '--lr must be a number greater than 0, not "".'],
    [['train', '--data', 'x', '--lr', '0'], '--lr must be a number greater than 0, not "0".'],
    [
      ['train', '--data', 'x', '--dice-weight', '1.5'],
      '--dice-weight must be a number from 0 to 1, not "1.5".',
    ],
    [['train', '--data', 'x', '--valid', '1'], '--valid must be a number between 0 and 1, not "1".'],
    [['train', '--data', 'x', '--preset', 'big'], '--preset must be one of small, post, not "big".'],
    [['train', '--data', 'x', '--epohcs', '3'], "unknown option '--epohcs'; did you mean --epochs?"],
    [['train', '--data', 'x', '--zzzzzz'], "unknown option '--zzzzzz'; see shadergrad train --help"],
    [
      ['train', '--data', 'x', '--epochs'],
      "option '--epochs <n>' argument missing; see shadergrad train --help",
    ],
    [['train', '--data', '', '--out', 'o'], '--data was given an empty value; give it one, or leave it out.'],
    [['predict', '', '--model', 'm', '--out', 'o'], '<inputs> was given an empty value; give a path.'],
    [
      ['predict', 'a', '--model', 'm', '--out', 'o', '--model', 'n'],
      '--model was given as m and as n; give it once.',
    ],
    [['train'], 'train needs --data <path> (or --resume <run>).'],
    [['train', '--resume', 'r', '--lr', '1'], /^--lr cannot be changed by --resume: .*\.$/],
    [['trian'], "unknown command 'trian'; did you mean train?"],
    [
      ['predict', '--model', 'm', '--out', 'o'],
      /missing required argument 'inputs'; see shadergrad predict --help/,
    ],
    [['prepare'], /required option '--data <path>' not specified; see shadergrad prepare --help/],
    [['report', 'a', 'b'], /too many arguments.*; see shadergrad report --help/],
  ])('%j is refused', async (args, sentence) => {
    const { err, out, code, calls } = await shell(...args);
    expect(code).toBe(2);
    expect(calls).toEqual([]);
    expect(out).toBe('');
    expect(err.split('\n')).toHaveLength(2);
    const told = err.replace(/^shadergrad: /, '').trimEnd();
    if (typeof sentence === 'string') expect(told).toBe(sentence);
    else expect(told).toMatch(sentence);
  });
});

describe('errors', () => {
  it('become one sentence and exit code 1', async () => {
    const { err, code } = await shell('demo');
    expect(code).toBe(1);
    expect(err).toBe('shadergrad: The device was lost.\n');
  });

  it('show their stack and cause with --debug', async () => {
    const { err, code } = await shell('demo', '--debug');
    expect(code).toBe(1);
    expect(err).toMatch(/^shadergrad: The device was lost\.\n.*at .*program\.test/s);
    expect(err).toContain('Caused by: Error: driver reset');
  });
});
