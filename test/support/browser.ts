import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';
import { wgslForEsbuild } from '../../scripts/wgsl.mjs';
import { launchChromium } from './chromium.js';

/** Extensions that tests and pages are served with. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

export interface TestPage {
  readonly page: Page;
  readonly url: string;
  /** Console errors, uncaught exceptions and failed requests so far. The file's tests fail at their end if any is left here. */
  readonly errors: string[];
}

let browser: Promise<Browser> | undefined;
let closeBrowser = async (): Promise<void> => {};
const pages: TestPage[] = [];
const undo: (() => Promise<unknown>)[] = [];

/** The browser of this test file; started at the first call and closed after the file's tests. */
export function testBrowser(): Promise<Browser> {
  browser ??= launchChromium().then(({ browser: launched, close }) => {
    closeBrowser = close;
    return launched;
  });
  return browser;
}

export interface PageOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  /** Done with the page before it goes anywhere. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Opens `url` and collects what goes wrong there. */
export async function openPage(url: string, options: PageOptions = {}): Promise<TestPage> {
  const { prepare, ...context } = options;
  const page = await (await testBrowser()).newPage(context);
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('requestfailed', (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('crash', () => errors.push('the page crashed'));
  const opened = { page, url, errors };
  pages.push(opened);
  await prepare?.(page);
  await page.goto(url);
  return opened;
}

/** Bundles a TypeScript module, loads it in an otherwise empty page and waits until it has run. Paths are the project's. */
export async function openModule(entry: string): Promise<TestPage> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    write: false,
    // As they ship, so that what agrees with Node here is that too.
    plugins: [wgslForEsbuild({ minify: true })],
    logLevel: 'warning',
  });
  const script = result.outputFiles[0]?.text ?? '';
  const html =
    '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Test</title><script type="module" src="/module.js"></script></html>';
  const url = await serve(async (file) =>
    file === '/module.js' ? script : file === '/index.html' ? html : null,
  );
  return openPage(url);
}

/** Serves a folder and opens its index.html. */
export async function openFolder(folder: string): Promise<TestPage> {
  const base = path.resolve(folder);
  const url = await serve(async (file) => {
    const full = path.join(base, file);
    return full.startsWith(base + path.sep) ? await readFile(full).catch(() => null) : null;
  });
  return openPage(url);
}

async function serve(read: (file: string) => Promise<string | Uint8Array | null>): Promise<string> {
  const server: Server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const body = await read(file);
    if (body === null) {
      response.writeHead(404).end();
      return;
    }
    response
      .writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' })
      .end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The test server has no port.');
  return `http://127.0.0.1:${address.port}/`;
}

afterAll(async () => {
  await browser;
  await closeBrowser();
  for (const step of undo.reverse()) await step();
  expect(pages.flatMap(({ errors }) => errors)).toEqual([]);
});
