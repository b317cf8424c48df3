import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MoreKernels, openDevice } from '../../src/index.js';
import { requestNodeAdapter } from '../../src/node/device.js';
import { relativeError } from '../reference/array.js';
import { openFolder, type TestPage } from '../support/browser.js';
import { checkedExample, type ExampleResult } from '../support/examples.js';
import { type Packed, packedProject } from '../support/packed.js';

const EMPTY = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Test</title></html>';

let packed: Packed;
let opened: TestPage;
let inNode: ExampleResult;

beforeAll(async () => {
  packed = packedProject();
  writeFileSync(path.join(packed.folder, 'index.html'), EMPTY);
  opened = await openFolder(packed.folder);
  // The package's own file, on the adapter that the browser has.
  const { all } = (await import(path.join(packed.folder, 'examples/all.js'))) as {
    all(device: unknown): Promise<ExampleResult>;
  };
  const { openDevice: open } = (await import(path.join(packed.installed, 'dist/index.js'))) as {
    openDevice: typeof openDevice;
  };
  const { softwareKernels: kernels } = (await import(path.join(packed.installed, 'dist/software.js'))) as {
    softwareKernels: MoreKernels;
  };
  const adapter = await requestNodeAdapter({ adapter: 'swiftshader' });
  const device = await open({ adapter, kernels });
  inNode = await all(device);
  await device.close();
}, 180_000);

afterAll(() => packed.remove());

/** Goes to a page of the project and takes what it shows when it is done: the same as in Node. */
async function check(address: string): Promise<void> {
  const { page, url } = opened;
  await page.goto(url + address);
  await page.waitForFunction(() => document.querySelector('#result')?.textContent !== 'running ...');
  const there = checkedExample((await page.textContent('#result')) ?? '');
  expect(there.pixels).toBe(inNode.pixels);
  expect(relativeError(there.losses, inNode.losses)).toBeLessThanOrEqual(1e-5);
  expect(relativeError(there.swish, inNode.swish)).toBeLessThanOrEqual(1e-5);
  expect(relativeError(there.gradient, inNode.gradient)).toBeLessThanOrEqual(1e-5);
}

it('works from a plain page, without a bundler', () => check('node_modules/shadergrad/examples/page.html'));

it('works when bundled by esbuild', async () => {
  const folder = path.join(packed.folder, 'esbuild');
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'main.js'),
    `import { openDevice } from 'shadergrad';
    import { softwareKernels as kernels } from 'shadergrad/software';
    import { all } from '../examples/all.js';
    document.querySelector('#result').textContent = JSON.stringify(await all(await openDevice({ kernels })));`,
  );
  await esbuild({
    entryPoints: [path.join(folder, 'main.js')],
    outfile: path.join(folder, 'out.js'),
    bundle: true,
    format: 'esm',
    minify: true,
  });
  writeFileSync(
    path.join(folder, 'index.html'),
    EMPTY.replace(
      '</html>',
      '<pre id="result">running ...</pre><script type="module" src="out.js"></script></html>',
    ),
  );
  await check('esbuild/index.html');
});

it('works in a Worker, when built by Vite', async () => {
  await vite({
    root: path.join(packed.folder, 'examples/vite'),
    base: './',
    configFile: false,
    logLevel: 'silent',
    build: { outDir: path.join(packed.folder, 'vite'), target: 'es2022' },
    worker: { format: 'es' },
  });
  await check('vite/index.html');
});
