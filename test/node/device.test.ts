import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listNodeAdapters, openNodeDevice } from '../../src/node/device.js';

const hasSwiftShader = process.platform === 'linux' && process.arch === 'x64';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
}

/** Runs a program of this folder in a process of its own; one that hangs ends by SIGKILL. */
function runProgram(name: string, how: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['scripts/run.mjs', `test/node/programs/${name}.ts`, how], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (out += text));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out })));
}

describe('a process that used a device', () => {
  it.each([
    ['close', 0],
    ['forget', 0],
    ['wait', 0],
    ['exit', 3],
    ['throw', 1],
  ])('ends by itself and with its own exit code: %s', async (how, code) => {
    const ended = await runProgram('work', how);
    expect(ended, ended.out).toMatchObject({ code, signal: null });
    expect(ended.out.includes('reached the end')).toBe(code === 0);
  });

  it('tells a GPU error that nothing awaited', async () => {
    expect((await runProgram('work', 'mistake')).out).toContain('GpuError: Invalid use of WebGPU');
  });
});

describe('openNodeDevice', () => {
  it('names what there is when nothing has the name', async () => {
    await expect(openNodeDevice({ adapter: 'no such thing' })).rejects.toThrow(
      /"no such thing"; there is: .*swiftshader/,
    );
  });

  it('opens by name every adapter it lists', async () => {
    const adapters = await listNodeAdapters();
    expect(adapters.length).toBeGreaterThan(0);
    for (const { name, kind, software } of adapters) {
      const device = await openNodeDevice({ adapter: name });
      expect(device.facts).toMatchObject({ kind, software });
      await device.close();
    }
  });

  it.runIf(hasSwiftShader)(
    'opens SwiftShader and the system in any order, and leaves the environment as it was',
    async () => {
      const before = { ...process.env };
      for (const adapter of ['swiftshader', 'auto', 'swiftshader', 'software', 'auto']) {
        const device = await openNodeDevice({ adapter });
        if (adapter === 'swiftshader') expect(device.facts.kind).toBe('swiftshader');
        await device.idle();
        await device.close();
      }
      expect({ ...process.env }).toEqual(before);
    },
  );

  it.runIf(hasSwiftShader)(
    'falls back to SwiftShader where the system has no driver, unpacking it once',
    async () => {
      const cache = await mkdtemp(path.join(os.tmpdir(), 'shadergrad-test-'));
      const env = {
        XDG_CACHE_HOME: cache,
        VK_DRIVER_FILES: '/nonexistent/driver.json',
        VK_ICD_FILENAMES: '/nonexistent/driver.json',
        SHADERGRAD_ADAPTER: 'auto',
      };
      // Two at once, so that they race for the same folder.
      const both = await Promise.all([runProgram('work', 'close', env), runProgram('work', 'close', env)]);
      for (const ended of both) expect(ended, ended.out).toMatchObject({ code: 0, signal: null });
      const folders = await readdir(path.join(cache, 'shadergrad'));
      expect(folders).toEqual([expect.stringMatching(/^swiftshader-[\d.]+$/)]);
      await rm(cache, { recursive: true });
    },
  );
});
