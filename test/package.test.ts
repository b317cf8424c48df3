import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';

/** Runs Node in the project's folder and gives its exit code and all it said. */
function node(...args: string[]): { code: number | null; out: string } {
  const ended = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { code: ended.status, out: ended.stdout + ended.stderr };
}

const about = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  bin: { shadergrad: string };
  exports: Record<'.' | './node', { default: string }>;
};

describe('the package as built', () => {
  beforeAll(() => {
    const built = node('scripts/build.mjs', '--bundles-only');
    expect(built.code, built.out).toBe(0);
  });

  it('has a browser entry that needs neither packages nor Node', () => {
    const text = readFileSync(about.exports['.'].default, 'utf8');
    expect(text).not.toMatch(/^\s*import\b/m);
    expect(text).not.toMatch(/\bimport\(|\brequire\(|node:/);
  });

  it.each([about.exports['.'].default, about.exports['./node'].default])('imports %s in silence', (file) => {
    const imported = node('--input-type=module', '-e', `await import('./${file}')`);
    expect(imported).toEqual({ code: 0, out: '' });
  });

  it('has a command that tells its version and its help', () => {
    const file = about.bin.shadergrad;
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(node(file, '--version')).toMatchObject({ code: 0, out: expect.stringContaining(about.version) });
    const help = node(file, '--help');
    expect(help.code).toBe(0);
    for (const command of ['info', 'train', 'predict', 'demo']) expect(help.out).toContain(command);
    expect(node(file, 'tarin').code).not.toBe(0);
  });
});
