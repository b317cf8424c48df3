import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useCommand } from './command.js';

const shell = useCommand();

it('is a command: help, a near miss of a flag, a failure', async () => {
  const help = await shell.run(['--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  expect(help.out).toContain('Usage: shadergrad');
  expect(await shell.run(['train', '--data', 'x', '--epohcs', '3'])).toMatchObject({
    code: 2,
    out: '',
    err: "shadergrad: unknown option '--epohcs'; did you mean --epochs?\n",
  });
  const none = join(shell.folder, 'none');
  expect(await shell.run(['report', none])).toMatchObject({
    code: 1,
    out: '',
    err: `shadergrad: There is no run folder ${none}; check the path.\n`,
  });
});

it('ends quietly when its reader closes early', async () => {
  expect(await shell.run(['train', '--help'], { closeEarly: true })).toMatchObject({ code: 0, err: '' });
});
